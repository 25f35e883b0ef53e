// Cheap shading of the body: half-Lambert from a light beside the viewer, a rim, and a window cut
// into what lies between the viewer and the image.
#import bevy_pbr::{forward_io::VertexOutput, mesh_view_bindings::view}

struct Flesh {
    probe_from_world: mat4x4<f32>,
    // Window: half width at the face, widening per depth, depth (m), viewer's side (+1, -1; 0 closed).
    window: vec4<f32>,
    // Opacity, rim, gloss, opacity inside the window.
    look: vec4<f32>,
}
@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> flesh: Flesh;

@fragment
fn fragment(in: VertexOutput, @builtin(front_facing) is_front: bool) -> @location(0) vec4<f32> {
    var alpha = flesh.look.x;
    if flesh.window.w != 0.0 {
        let p = (flesh.probe_from_world * vec4<f32>(in.world_position.xyz, 1.0)).xyz;
        let half_width = flesh.window.x + max(p.z, 0.0) * flesh.window.y;
        if p.y * flesh.window.w > -0.0008 && p.z < flesh.window.z && p.z > -0.012 && abs(p.x) < half_width {
            if flesh.look.w <= 0.0 {
                discard;
            }
            alpha = flesh.look.w;
        }
    }
    let to_viewer = normalize(view.world_position - in.world_position.xyz);
    var n = normalize(in.world_normal);
    if !is_front {
        n = -n;
    }
    let light = normalize((view.world_from_view * vec4<f32>(-0.45, 0.75, 0.65, 0.0)).xyz);
    let wrapped = dot(n, light) * 0.5 + 0.5;
    let sky = n.y * 0.5 + 0.5;
    let facing = clamp(dot(n, to_viewer), 0.0, 1.0);
    let edge = (1.0 - facing) * (1.0 - facing);
    let base = in.color.rgb;
    var color = base * (wrapped * wrapped * 0.98 + 0.10 + 0.12 * sky);
    color += (base * 0.5 + vec3<f32>(0.10, 0.13, 0.16)) * edge * edge * flesh.look.y;
    let half_way = normalize(light + to_viewer);
    let shine = clamp(dot(n, half_way), 0.0, 1.0);
    let s2 = shine * shine;
    let s8 = s2 * s2 * s2 * s2;
    color += vec3<f32>(s8 * s8 * s8) * flesh.look.z;
    if !is_front {
        color = base * (0.16 + 0.22 * wrapped);
    }
#ifdef GLASS
    alpha = clamp(alpha * (1.0 + 1.6 * edge), 0.0, 1.0);
#endif
    return vec4<f32>(color, alpha);
}
