// The live image on its plane in the body: unlit, with a thin rim where the image ends.
#import bevy_pbr::forward_io::VertexOutput

// Colour of the rim; its width in texture coordinates: x in a, y follows from the aspect.
@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> rim: vec4<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var image: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var image_sampler: sampler;

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
    let here = textureSampleLevel(image, image_sampler, in.uv, 0.0);
    let d = rim.a;
    let right = textureSampleLevel(image, image_sampler, in.uv + vec2<f32>(d, 0.0), 0.0);
    let left = textureSampleLevel(image, image_sampler, in.uv - vec2<f32>(d, 0.0), 0.0);
    let below = textureSampleLevel(image, image_sampler, in.uv + vec2<f32>(0.0, d), 0.0);
    let above = textureSampleLevel(image, image_sampler, in.uv - vec2<f32>(0.0, d), 0.0);
    let beside = right.a * left.a * below.a * above.a;
    let at_border = in.uv.x < d || in.uv.x > 1.0 - d || in.uv.y < d || in.uv.y > 1.0 - d;
    if here.a < 0.5 {
        discard;
    }
    if beside < 0.5 || at_border {
        return vec4<f32>(rim.rgb, 1.0);
    }
    // The plane is seen smaller than it is: the mean keeps speckle from flickering.
    return vec4<f32>((here.rgb + right.rgb + left.rgb + below.rgb + above.rgb) * 0.2, 1.0);
}
