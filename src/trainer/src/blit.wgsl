// From a view's own texture to where it is shown. As Bevy's, but each pixel is read once: both
// have one size here, and a filtered read of sRGB is four reads on a software device.
#import bevy_core_pipeline::fullscreen_vertex_shader::FullscreenVertexOutput

@group(0) @binding(0) var in_texture: texture_2d<f32>;

@fragment
fn fs_main(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    return textureLoad(in_texture, vec2<i32>(in.position.xy), 0);
}
