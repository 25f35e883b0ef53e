//! Materials: what the body, the probe and the image on its plane are drawn with.
//!
//! Far cheaper than Bevy's own: no lights, no textures but the image, no prepass. On a processor
//! that plays the graphics card every fragment counts.

use bevy::asset::{load_internal_asset, uuid_handle};
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::pbr::{MaterialPipeline, MaterialPipelineKey};
use bevy::prelude::*;
use bevy::reflect::TypePath;
use bevy::render::render_resource::{
    AsBindGroup, Face, RenderPipelineDescriptor, ShaderType, SpecializedMeshPipelineError,
};
use bevy::shader::ShaderRef;

const FLESH: Handle<Shader> = uuid_handle!("5d0b8c1e-39f4-4b62-9a0e-1f6c27e1a001");
const SLICE: Handle<Shader> = uuid_handle!("5d0b8c1e-39f4-4b62-9a0e-1f6c27e1a002");

/// Registers the materials and their shaders, which are in the program.
pub struct MaterialsPlugin;

impl Plugin for MaterialsPlugin {
    fn build(&self, app: &mut App) {
        load_internal_asset!(app, FLESH, "flesh.wgsl", Shader::from_wgsl);
        load_internal_asset!(app, SLICE, "slice.wgsl", Shader::from_wgsl);
        app.add_plugins((
            MaterialPlugin::<Flesh>::default(),
            MaterialPlugin::<Slice>::default(),
        ));
    }
}

/// What the shader of [`Flesh`] is told.
#[derive(Clone, Copy, Debug, Default, ShaderType)]
pub struct FleshLook {
    /// From the world to the image's probe frame, m.
    pub probe_from_world: Mat4,
    /// Half width at the face, widening per depth, depth (m), viewer's side (+1, −1; 0 closed).
    pub window: Vec4,
    /// Opacity, rim, gloss, opacity inside the window (0 cuts it out).
    pub look: Vec4,
}

/// The body and the probe, coloured by vertex.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
#[bind_group_data(FleshKey)]
pub struct Flesh {
    /// For the shader.
    #[uniform(0)]
    pub look: FleshLook,
    /// Blended, with the far side left out.
    pub is_glass: bool,
}

/// Which pipeline a [`Flesh`] needs.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FleshKey {
    is_glass: bool,
}

impl From<&Flesh> for FleshKey {
    fn from(flesh: &Flesh) -> Self {
        Self {
            is_glass: flesh.is_glass,
        }
    }
}

impl Material for Flesh {
    fn fragment_shader() -> ShaderRef {
        FLESH.into()
    }

    fn alpha_mode(&self) -> AlphaMode {
        match self.is_glass {
            true => AlphaMode::Blend,
            false => AlphaMode::Opaque,
        }
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }

    fn specialize(
        _: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _: &MeshVertexBufferLayoutRef,
        key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        let is_glass = key.bind_group_data.is_glass;
        descriptor.primitive.cull_mode = is_glass.then_some(Face::Back);
        if is_glass && let Some(fragment) = &mut descriptor.fragment {
            fragment.shader_defs.push("GLASS".into());
        }
        Ok(())
    }
}

/// The live image on its plane.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
pub struct Slice {
    /// Colour of the rim (linear), its width in texture coordinates.
    #[uniform(0)]
    pub rim: Vec4,
    /// The image; alpha 0 outside the scan.
    #[texture(1)]
    #[sampler(2)]
    pub image: Handle<Image>,
}

impl Material for Slice {
    fn fragment_shader() -> ShaderRef {
        SLICE.into()
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }

    fn specialize(
        _: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _: &MeshVertexBufferLayoutRef,
        _: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        descriptor.primitive.cull_mode = None;
        Ok(())
    }
}
