//! Mesh files: hand-made files, other crates' readers and writers as judges, and what refused ones
//! say.

use std::io::Cursor;
use std::path::Path;

use geometry::frame::{File, Patient, Point};
use geometry::mesh_file::{
    Axes, MeshFileError, MeshFormat, MeshPart, MeshUnits, patient_from_file, read_mesh_parts,
    read_mesh_parts_from_bytes, read_ply, read_ply_from_bytes, write_ply, write_ply_file,
};
use geometry::{Frame, TriMesh};

use crate::allocation::peak_bytes;
use crate::{assert_is_for_a_person, corpus, corpus_file, file_name};

const FOLDERS: [&str; 4] = ["stl", "obj", "ply", "glb"];

fn parts(name: &str) -> Vec<MeshPart> {
    read_mesh_parts(&corpus_file(name)).unwrap_or_else(|e| panic!("{e}"))
}

fn names(parts: &[MeshPart]) -> Vec<&str> {
    parts.iter().map(|p| p.name.as_str()).collect()
}

#[test]
fn every_form_of_the_tetrahedron_is_the_same_closed_surface() {
    let files = FOLDERS.iter().flat_map(|folder| corpus(folder));
    let files: Vec<_> = files
        .filter(|f| file_name(f).starts_with("ok-") && !file_name(f).ends_with(".bin"))
        .collect();
    assert!(files.len() > 15);
    for file in files {
        let parts = read_mesh_parts(&file).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(parts.len(), 1, "{}", file.display());
        let mesh = &parts[0].mesh;
        assert_eq!(
            (mesh.vertices().len(), mesh.triangles().len()),
            (4, 4),
            "{}",
            file.display()
        );
        // Corners at 0 and 10 on the axes: a·(b×c)/6, positive where triangles face outward.
        let off = mesh.signed_volume_mm3() - 1000.0 / 6.0;
        assert!(off.abs() < 1e-9, "{}: volume off by {off}", file.display());
        assert_eq!(mesh.bounds().max, [10.0; 3]);
    }
}

#[test]
fn parts_have_the_names_in_the_file() {
    assert_eq!(names(&parts("stl/ok-text.stl")), ["tetra"]);
    assert_eq!(names(&parts("stl/ok-bare-solid.stl")), ["ok-bare-solid"]);
    assert_eq!(names(&parts("stl/ok-binary.stl")), ["ok-binary"]);
    assert_eq!(names(&parts("obj/ok-plain.obj")), ["tetra"]);
    assert_eq!(names(&parts("glb/ok-plain.glb")), ["tetra"]);
    let solids = parts("stl/two-solids.stl");
    assert_eq!(names(&solids), ["left kidney", "right kidney"]);
    assert_eq!(solids[1].mesh.bounds().min, [50.0, 0.0, 0.0]);
}

#[test]
fn obj_groups_are_parts_and_quads_become_two_triangles() {
    let parts = parts("obj/two-groups.obj");
    assert_eq!(names(&parts), ["bottom cap", "top"]);
    assert_eq!(parts[0].mesh.triangles().len(), 4);
    assert_eq!(parts[1].mesh.triangles().len(), 2);
    assert_eq!(parts[1].mesh.vertices().len(), 4);
    assert!((parts[1].mesh.area_mm2() - 1.0).abs() < 1e-9);
    let quad = self::parts("ply/quads-text.ply");
    assert_eq!(quad[0].mesh.triangles(), [[0, 1, 2], [0, 2, 3]]);
}

/// By hand: the root scales by 2, then moves by (100, 0, 0). The first child turns x to y, the
/// second mirrors x, which would leave it inside out.
#[test]
fn gltf_nodes_place_their_meshes() {
    let parts = parts("glb/placed.glb");
    assert_eq!(names(&parts), ["turned", "m"]);
    let (turned, mirrored) = (parts[0].mesh.bounds(), parts[1].mesh.bounds());
    let near = |a: [f32; 3], b: [f32; 3]| (0..3).all(|i| (a[i] - b[i]).abs() < 1e-4);
    assert!(
        near(turned.min, [80.0, 0.0, 0.0]) && near(turned.max, [100.0, 20.0, 20.0]),
        "{turned:?}"
    );
    assert!(near(mirrored.min, [80.0, 0.0, 0.0]) && near(mirrored.max, [100.0, 20.0, 20.0]));
    for part in parts {
        let off = part.mesh.signed_volume_mm3() - 8000.0 / 6.0;
        assert!(off.abs() < 1e-2, "{}: {off}", part.name);
    }
}

#[test]
fn gltf_strips_and_fans_face_one_way_and_points_are_passed_over() {
    let parts = parts("glb/strip-and-fan.glb");
    assert_eq!(names(&parts), ["tetra#1", "tetra#2"]);
    for part in parts {
        assert_eq!(part.mesh.triangles().len(), 2);
        for t in 0..2 {
            let [a, b, c] = part.mesh.corners(t).map(Point::<File>::from_f32);
            assert_eq!(
                (b - a).cross(&(c - a)).to_array(),
                [0.0, 0.0, 1.0],
                "{}",
                part.name
            );
        }
    }
}

#[test]
fn bad_files_are_refused_for_a_person() {
    for file in FOLDERS.iter().flat_map(|folder| corpus(folder)) {
        if file_name(&file).starts_with("bad-") {
            let (result, peak) = peak_bytes(|| read_mesh_parts(&file));
            let error = result.expect_err(&file_name(&file));
            if !file_name(&file).contains("missing-buffer") {
                assert_is_for_a_person(&file, &error);
            }
            assert!(peak < 1 << 20, "{} took {peak} bytes", file.display());
        }
    }
}

#[test]
fn messages_name_the_place_and_what_is_there() {
    let cases = [
        (
            "stl/bad-claims-4e9.stl",
            "byte 80: the header claims 4000000000 triangles",
        ),
        ("stl/bad-empty.stl", "0 triangles"),
        ("stl/bad-nan.stl", "byte 96: corner 0 of triangle 0"),
        ("stl/bad-nan-text.stl", "line 5: “nan”"),
        ("stl/bad-word.stl", "line 7: “endlop”"),
        ("stl/bad-truncated.stl", "the file ends where"),
        (
            "stl/bad-flat.stl",
            "every triangle has two corners at the same place",
        ),
        (
            "obj/bad-index.obj",
            "line 12: the face refers to vertex “9”, but there are only 4",
        ),
        (
            "obj/bad-zero-index.obj",
            "line 12: the face refers to vertex “0”",
        ),
        (
            "obj/bad-nan.obj",
            "line 6: “nan” stands where a finite coordinate of vertex 3",
        ),
        (
            "obj/bad-two-corners.obj",
            "line 12: the face has only 2 corners",
        ),
        ("obj/bad-no-faces.obj", "0 triangles"),
        ("ply/bad-claims-1e12.ply", "it claims 1000000000000 entries"),
        ("ply/bad-claims-1e12-empty-faces.ply", "0 triangles"),
        (
            "ply/bad-index.ply",
            "face 1: it refers to vertex 4, but there are 4 vertices",
        ),
        (
            "ply/bad-negative-index.ply",
            "face 0: it refers to vertex -1",
        ),
        (
            "ply/bad-nan.ply",
            "vertex 0 has a coordinate that is not a finite number",
        ),
        ("ply/bad-truncated.ply", "face 3 of 4: the file ends here"),
        ("ply/bad-no-z.ply", "lacks one of the properties x, y, z"),
        (
            "ply/bad-format.ply",
            "header line 2: the line names no known format",
        ),
        ("ply/bad-header.ply", "the PLY header is not complete"),
        (
            "glb/bad-count.glb",
            "accessor 0, primitive 0 of node 0 (“tetra”): its data do not lie inside",
        ),
        ("glb/bad-index.glb", "index 11 refers to vertex 9"),
        (
            "glb/bad-indices-10.glb",
            "10 corners do not make whole triangles",
        ),
        ("glb/bad-cycle.glb", "node 0: it is reached twice"),
        ("glb/bad-draco.glb", "KHR_draco_mesh_compression"),
        ("glb/bad-no-position.glb", "it has no POSITION"),
        (
            "glb/bad-nan.glb",
            "vertex 0 has a coordinate that is not a finite number",
        ),
        ("glb/bad-truncated.glb", "byte 8: the file says it has"),
        ("glb/bad-version.glb", "version 1"),
        ("glb/bad-missing-buffer.gltf", "nowhere.bin: cannot be read"),
    ];
    for (name, needle) in cases {
        let text = read_mesh_parts(&corpus_file(name)).unwrap_err().to_string();
        assert!(text.contains(needle), "{text}\ndoes not say “{needle}”");
    }
}

#[test]
fn the_format_comes_from_content_then_name() {
    let glb = MeshFormat::of_file(&corpus_file("glb/ok-plain.glb")).unwrap();
    assert_eq!(glb, MeshFormat::Gltf);
    assert_eq!(
        MeshFormat::of_bytes(Path::new("a.stl"), b"ply\n").unwrap(),
        MeshFormat::Ply
    );
    assert_eq!(
        MeshFormat::of_bytes(Path::new("A.OBJ"), b"").unwrap(),
        MeshFormat::Obj
    );
    let unknown = MeshFormat::of_bytes(Path::new("a.doc"), b"").unwrap_err();
    assert!(unknown.to_string().contains("no mesh file"), "{unknown}");
}

/// One instance more than allowed: 4 096 nodes with a mesh of 8 192 triangles are 2²⁵.
#[test]
fn repeated_meshes_cannot_fill_the_memory() {
    let nodes = vec![r#"{"mesh":0}"#; 4096].join(",");
    let roots: Vec<String> = (0..4096).map(|n| n.to_string()).collect();
    let corners = 3 * 8192;
    let text = format!(
        r#"{{"asset":{{"version":"2.0"}},"scenes":[{{"nodes":[{}]}}],"nodes":[{nodes}],
        "meshes":[{{"primitives":[{{"attributes":{{"POSITION":0}},"indices":1}}]}}],
        "accessors":[{{"bufferView":0,"componentType":5126,"count":3,"type":"VEC3"}},
                     {{"bufferView":1,"componentType":5121,"count":{corners},"type":"SCALAR"}}],
        "bufferViews":[{{"buffer":0,"byteLength":36}},{{"buffer":0,"byteOffset":36,"byteLength":{corners}}}],
        "buffers":[{{"byteLength":{}}}]}}"#,
        roots.join(","),
        36 + corners
    );
    let places: Vec<u8> = [0.0f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let indices: Vec<u8> = (0..corners).map(|i| (i % 3) as u8).collect();
    let glb = glb(text.as_bytes(), &[places, indices].concat());
    let error = read_mesh_parts_from_bytes(Path::new("many.glb"), &glb).unwrap_err();
    assert!(
        error.to_string().contains("more than 16777216 triangles"),
        "{error}"
    );
}

fn glb(text: &[u8], binary: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8], content: &[u8], pad: u8| {
        let mut content = content.to_vec();
        content.resize(content.len().next_multiple_of(4), pad);
        [&(content.len() as u32).to_le_bytes(), kind, &content].concat()
    };
    let body = [chunk(b"JSON", text, b' '), chunk(b"BIN\0", binary, 0)].concat();
    let length = (12 + body.len()) as u32;
    [
        b"glTF",
        &2u32.to_le_bytes()[..],
        &length.to_le_bytes(),
        &body,
    ]
    .concat()
}

// ---- units and axes ----------------------------------------------------------------------------

fn patient_of(axes: &str, place: [f64; 3]) -> [f64; 3] {
    let map = patient_from_file(MeshUnits::Millimetres, Axes::parse(axes).unwrap());
    let [x, y, z] = place;
    (map * Point::<File>::new(x, y, z)).to_array()
}

#[test]
fn axes_mean_what_the_table_says() {
    let p = [1.0, 2.0, 3.0];
    assert_eq!(patient_of("LPS", p), [1.0, 2.0, 3.0]);
    assert_eq!(patient_of("ras", p), [-1.0, -2.0, 3.0]);
    // The arterial tree's axes, from its manifest: (left, posterior, superior) = (y, −z, −x).
    assert_eq!(patient_of("y,-z,-x", p), [2.0, -3.0, -1.0]);
    assert_eq!(patient_of(" +Y , −z, -x ", p), [2.0, -3.0, -1.0]);
    // Y up, x left, z anterior, as in glTF.
    assert_eq!(patient_of("y-up", p), [1.0, -3.0, 2.0]);
    // The file's x points anterior, y right, z inferior.
    assert_eq!(patient_of("ARI", p), [-2.0, -1.0, -3.0]);
}

#[test]
fn faulty_axes_say_what_is_wrong() {
    for (text, needle) in [
        ("LLS", "two letters lie on one axis"),
        ("LRS", "two letters lie on one axis"),
        ("LPX", "not one of L, R, A, P, S, I"),
        ("LPSA", "not three letters"),
        ("", "not three letters"),
        ("x,y", "exactly three axes"),
        ("x,y,-y", "an axis comes twice"),
        ("x,y,w", "not x, y or z"),
    ] {
        let error = Axes::parse(text).unwrap_err().to_string();
        assert!(error.contains(needle), "{error}");
    }
    assert!(
        "furlong"
            .parse::<MeshUnits>()
            .unwrap_err()
            .to_string()
            .contains("mm, cm, m or in")
    );
}

#[test]
fn every_set_of_axes_prints_as_it_is_read() {
    let mut mirrored = 0;
    for letters in ["LPS", "RAS", "LAS", "RPS", "SLP", "PSL", "IRA", "ASR"] {
        let axes = Axes::parse(letters).unwrap();
        assert_eq!(axes.to_string().parse::<Axes>().unwrap(), axes);
        mirrored += usize::from(axes.mirrors());
        let flips = patient_from_file(MeshUnits::Inches, axes).determinant() < 0.0;
        assert_eq!(flips, axes.mirrors(), "{letters}");
    }
    assert!(mirrored > 0);
    for unit in ["mm", "cm", "m", "in"] {
        assert_eq!(unit.parse::<MeshUnits>().unwrap().to_string(), unit);
    }
}

#[test]
fn mirrored_axes_keep_the_outside_outside() {
    let mesh = &parts("stl/ok-binary.stl")[0].mesh;
    for axes in ["LPS", "LAS", "y,-z,-x"] {
        let map = patient_from_file(MeshUnits::Centimetres, Axes::parse(axes).unwrap());
        let volume = mesh.transformed(&map).unwrap().signed_volume_mm3();
        assert!((volume - 1e6 / 6.0).abs() < 1e-3, "{axes}: {volume}");
    }
}

// ---- PLY as the patient's surface format -------------------------------------------------------

/// A grid of `n` × `n` squares on a paraboloid.
fn sheet<F>(n: u32) -> TriMesh<F> {
    let row = n + 1;
    let vertices = (0..row * row)
        .map(|v| {
            let (x, y) = ((v % row) as f32 * 0.25, (v / row) as f32 * 0.5);
            [x, y, 0.01 * (x * x + y * y)]
        })
        .collect();
    let squares = (0..n * n).map(|s| s % n + s / n * row);
    let triangles = squares.flat_map(|a| [[a, a + 1, a + row], [a + 1, a + row + 1, a + row]]);
    TriMesh::new(vertices, triangles.collect()).unwrap()
}

#[test]
fn what_is_written_reads_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("liver.ply");
    let mesh = sheet::<Patient>(20);
    write_ply_file(&mesh, &["structure liver", "two\nlines"], &file).unwrap();
    assert_eq!(read_ply::<Patient>(&file).unwrap(), mesh);
    assert_eq!(
        read_mesh_parts(&file).unwrap()[0].mesh.triangles(),
        mesh.triangles()
    );
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left beside the file");
    let text = std::fs::read(&file).unwrap();
    let header = String::from_utf8_lossy(&text[..300]).into_owned();
    assert!(header.contains(
        "\ncomment frame patient\ncomment unit mm\ncomment structure liver\ncomment two lines\n"
    ));
}

#[test]
fn a_failed_write_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let error = write_ply_file(
        &sheet::<Patient>(2),
        &[],
        &folder.path().join("no/liver.ply"),
    );
    assert!(error.unwrap_err().to_string().contains("cannot be written"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Another reader of PLY accepts what is written.
#[test]
fn ply_rs_reads_what_is_written() {
    use ply_rs_bw::{
        parser::Parser,
        ply::{DefaultElement, Property},
    };
    let mesh = sheet::<Patient>(3);
    let mut bytes = Vec::new();
    write_ply(&mesh, &[], &mut bytes).unwrap();
    let ply = Parser::<DefaultElement>::new()
        .read_ply(&mut Cursor::new(bytes))
        .unwrap();
    let vertices: Vec<[f32; 3]> = ply.payload["vertex"]
        .iter()
        .map(|v| ["x", "y", "z"].map(|axis| v[axis].to_f32_lossy().unwrap()))
        .collect();
    assert_eq!(vertices, mesh.vertices());
    let triangles: Vec<Vec<u32>> = ply.payload["face"]
        .iter()
        .map(|f| match &f["vertex_indices"] {
            Property::ListInt(list) => list.iter().map(|&v| v as u32).collect(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(triangles, mesh.triangles());
}

#[test]
fn a_ply_of_another_frame_is_refused() {
    #[derive(Clone, Copy)]
    struct Probe;
    impl Frame for Probe {
        const NAME: &'static str = "probe";
    }
    let file = corpus_file("ply/other-frame.ply");
    let error = read_ply::<Patient>(&file).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("says “probe”, but “patient” is needed"),
        "{error}"
    );
    assert_eq!(read_ply::<Probe>(&file).unwrap().triangles().len(), 4);
}

/// The straight path and the general path agree: big-endian has only the general one.
#[test]
fn the_fast_path_reads_the_same_as_the_general_one() {
    let mesh = sheet::<Patient>(7);
    let mut little = Vec::new();
    write_ply(&mesh, &[], &mut little).unwrap();
    let body_bytes = mesh.vertices().len() * 12 + mesh.triangles().len() * 13;
    let start = little.len() - body_bytes;
    let header = String::from_utf8(little[..start].to_vec())
        .unwrap()
        .replace("little", "big");
    let mut big = header.into_bytes();
    for vertex in mesh.vertices() {
        big.extend(vertex.iter().flat_map(|v| v.to_be_bytes()));
    }
    for corners in mesh.triangles() {
        big.push(3);
        big.extend(corners.iter().flat_map(|v| v.to_be_bytes()));
    }
    let name = Path::new("mesh.ply");
    assert_eq!(
        read_ply_from_bytes::<Patient>(name, &little).unwrap(),
        read_ply_from_bytes::<Patient>(name, &big).unwrap()
    );
}

// ---- other crates as judges --------------------------------------------------------------------

#[test]
fn stl_io_writes_what_is_read() {
    let mesh = sheet::<File>(5);
    let facets: Vec<stl_io::Triangle> = (0..mesh.triangles().len())
        .map(|t| stl_io::Triangle {
            normal: stl_io::Normal::new([0.0; 3]),
            vertices: mesh.corners(t).map(stl_io::Vertex::new),
        })
        .collect();
    let mut bytes = Vec::new();
    stl_io::write_stl(&mut bytes, facets.iter()).unwrap();
    let parts = read_mesh_parts_from_bytes(Path::new("sheet.stl"), &bytes).unwrap();
    let read: Vec<[[f32; 3]; 3]> = (0..facets.len())
        .map(|t| parts[0].mesh.corners(t))
        .collect();
    let written: Vec<[[f32; 3]; 3]> = (0..facets.len()).map(|t| mesh.corners(t)).collect();
    assert_eq!(read, written);
    assert_eq!(parts[0].mesh.vertices().len(), mesh.vertices().len());
}

#[test]
fn tobj_reads_the_same_corners() {
    for name in ["obj/ok-plain.obj", "obj/ok-negative.obj"] {
        let file = corpus_file(name);
        let options = tobj::LoadOptions {
            triangulate: true,
            ..tobj::LoadOptions::default()
        };
        let (models, _) = tobj::load_obj(&file, &options).unwrap();
        let other = &models[0].mesh;
        let places = other.positions.as_chunks::<3>().0;
        let theirs: Vec<[[f32; 3]; 3]> = other
            .indices
            .as_chunks::<3>()
            .0
            .iter()
            .map(|t| t.map(|v| places[v as usize]))
            .collect();
        let mesh = &parts(name)[0].mesh;
        let ours: Vec<[[f32; 3]; 3]> = (0..mesh.triangles().len())
            .map(|t| mesh.corners(t))
            .collect();
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = read_mesh_parts(Path::new("nowhere/liver.stl")).unwrap_err();
    assert!(matches!(error, MeshFileError::Io { .. }));
    assert!(
        error
            .to_string()
            .contains("nowhere/liver.stl: cannot be read"),
        "{error}"
    );
}
