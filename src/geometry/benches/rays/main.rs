//! Rays through a whole patient, beside parry3d's tree on the same triangles and rays.
//!
//! `cargo bench -p geometry --bench rays`. `SONOCATH_BENCH_PATIENT` names a patient folder with
//! `*.ply` surfaces; without it a stand-in is used. Throughput is counted in crossings.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]
#![allow(clippy::print_stdout, reason = "a benchmark says what it measures")]

mod bundles;
mod rival;
mod scenes;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use geometry::scene::{Crossings, Scene, SceneSurface, SurfaceId};
use geometry::{Patient, Point, TriMesh};

use bundles::{detector, fans, frame_of, incoherent, parallel};
use rival::Rival;

fn bench_rays(c: &mut Criterion) {
    let (name, meshes) = scenes::surfaces();
    let surfaces: Vec<_> = (0..).zip(&meshes).map(surface).collect();
    let scene = Scene::build(&surfaces).expect("the surfaces make a scene");
    let rival = Rival::new(&meshes);
    println!(
        "{name}: {} surfaces, {} triangles",
        scene.surface_count(),
        scene.triangle_count()
    );
    for (kind, rays) in [
        ("detector", detector(&scene)),
        ("parallel", parallel(&scene)),
        ("fans", fans(&scene)),
        ("incoherent", incoherent(&scene)),
    ] {
        let mut out = Crossings::new();
        let mut hits = Vec::new();
        scene.cast_bundle(&rays, &mut out);
        let (ours, theirs) = (out.crossing_count(), rival.cast_all(&rays, &mut hits));
        println!(
            "{kind}: {} rays, {ours} crossings (parry3d {theirs})",
            rays.len()
        );
        let mut group = c.benchmark_group(format!("{name}/{kind}"));
        group
            .throughput(Throughput::Elements(ours as u64))
            .sample_size(10);
        group.bench_function("scene, 1 thread", |b| {
            b.iter(|| scene.cast_bundle(&rays, &mut out))
        });
        group.bench_function("parry3d, 1 thread", |b| {
            b.iter(|| rival.cast_all(&rays, &mut hits))
        });
        group.bench_function("scene, all threads", |b| {
            b.iter(|| scene.cast_bundle_parallel(&rays, &mut out));
        });
        group.finish();
    }
    bench_upkeep(c, &meshes, &surfaces, scene);
}

fn surface((priority, mesh): (i32, &TriMesh<Patient>)) -> SceneSurface<'_, Patient> {
    SceneSurface { mesh, priority }
}

fn bench_upkeep(
    c: &mut Criterion,
    meshes: &[TriMesh<Patient>],
    surfaces: &[SceneSurface<'_, Patient>],
    mut scene: Scene<Patient>,
) {
    let mut group = c.benchmark_group("upkeep");
    group.sample_size(10);
    group.bench_function("build", |b| b.iter(|| Scene::build(black_box(surfaces))));
    group.bench_function("build parry3d", |b| {
        b.iter_batched(|| (), |()| Rival::new(meshes), BatchSize::PerIteration);
    });
    let vertices: Vec<&[[f32; 3]]> = meshes.iter().map(TriMesh::vertices).collect();
    group.bench_function("refit all", |b| {
        b.iter(|| scene.refit_all(black_box(&vertices)))
    });
    group.bench_function("refit one", |b| {
        b.iter(|| scene.refit(SurfaceId(0), black_box(vertices[0])));
    });
    let (middle, half) = frame_of(&scene);
    let place = Point::<Patient>::from_coords(
        nalgebra::Vector3::from(middle) + 0.3 * nalgebra::Vector3::from(half),
    );
    group.bench_function("containing", |b| {
        b.iter(|| scene.containing(black_box(place)))
    });
    group.bench_function("closest", |b| b.iter(|| scene.closest(black_box(place))));
    group.finish();
}

criterion_group!(benches, bench_rays);
criterion_main!(benches);
