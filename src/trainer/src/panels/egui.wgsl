// The panels' shader. As bevy_egui's own it multiplies colours in gamma space, which keeps text
// legible, but with the curve approximated by roots and a polynomial (I. Taylor, "sRGB
// approximations for HLSL", 2012; error below half a grey level of 255): powers cost a processor
// that plays the graphics card more than all else in the window.
struct Transform {
    scale: vec2<f32>,
    translation: vec2<f32>,
}
struct VertexInput {
    @location(0) position: vec2<f32>,
    @location(1) uv: vec2<f32>,
    @location(2) color: vec4<f32>,
}
struct VertexOutput {
    @builtin(position) position: vec4<f32>,
    @location(0) color: vec4<f32>,
    @location(1) uv: vec2<f32>,
}
@group(0) @binding(0) var<uniform> transform: Transform;
@group(1) @binding(0) var image_texture: texture_2d<f32>;
@group(1) @binding(1) var image_sampler: sampler;

fn linear_from_gamma(c: vec3<f32>) -> vec3<f32> {
    return c * (c * (c * 0.305306011 + 0.682171111) + 0.012522878);
}

fn gamma_from_linear(c: vec3<f32>) -> vec3<f32> {
    let s1 = sqrt(c);
    let s2 = sqrt(s1);
    let s3 = sqrt(s2);
    return max(0.662002687 * s1 + 0.684122060 * s2 - 0.323583601 * s3 - 0.0225411470 * c, vec3<f32>(0.0));
}

@vertex
fn vs_main(in: VertexInput) -> VertexOutput {
    let position = in.position * transform.scale + transform.translation;
    return VertexOutput(vec4<f32>(position, 0.0, 1.0), in.color, in.uv);
}

@fragment
fn fs_main(in: VertexOutput) -> @location(0) vec4<f32> {
    let sampled = textureSampleLevel(image_texture, image_sampler, in.uv, 0.0);
    let color = vec4<f32>(gamma_from_linear(sampled.rgb), sampled.a) * in.color;
    return vec4<f32>(linear_from_gamma(color.rgb), color.a);
}
