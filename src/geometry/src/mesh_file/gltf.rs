//! glTF 2.0, binary (`.glb`) and text (`.gltf`).
//!
//! The JSON is read with the `gltf` crate's types; the container and the accessors are read here,
//! where every offset is checked. Specification: Khronos, "glTF 2.0" (2021).

use std::borrow::Cow;
use std::collections::BTreeMap;

use ::gltf::json;
use json::accessor::{ComponentType, Type};
use json::mesh::{Mode, Primitive, Semantic};
use json::validation::Checked;
use nalgebra as na;

use super::{
    CUT_OFF, EXPORT_AGAIN, MAX_FILE_BYTES, MeshFileError, Source, Surface, read_whole, shortened,
};

/// Most triangles of a file. Nodes may repeat a mesh, so the file's length is no bound.
const MAX_TRIANGLES: u64 = 1 << 24;
/// Most JSON objects: they take far more memory than text.
const MAX_OBJECTS: usize = 1 << 20;

/// Every primitive of every node of the scene, placed by its node's transform.
///
/// # Errors
/// A broken container or JSON, offsets outside the buffers, indices outside the vertices, or
/// compressed geometry.
pub(super) fn surfaces(source: &Source) -> Result<Vec<Surface>, MeshFileError> {
    let (text, binary) = if source.bytes.starts_with(b"glTF") {
        chunks(source)?
    } else {
        (source.bytes, None)
    };
    let root = root(source, text)?;
    let mut file = File {
        source,
        root: &root,
        binary,
        loaded: BTreeMap::new(),
        loaded_bytes: 0,
    };
    file.scene()
}

/// The JSON and the binary chunk of a `.glb`.
fn chunks<'a>(source: &Source<'a>) -> Result<(&'a [u8], Option<&'a [u8]>), MeshFileError> {
    let bytes = source.bytes;
    let word = |at: usize| {
        let bytes = bytes.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes))
    };
    let (Some(version), Some(length)) = (word(4), word(8)) else {
        return Err(source.unsupported("the glTF header is not complete", CUT_OFF));
    };
    if version != 2 {
        return Err(source.unsupported(
            format!("this is version {version} of binary glTF"),
            "Export the mesh as glTF 2.0",
        ));
    }
    if length as usize > bytes.len() {
        return Err(source.malformed(
            "byte 8",
            format!(
                "the file says it has {length} bytes, but it ends after {}",
                bytes.len()
            ),
            CUT_OFF,
        ));
    }
    let whole = Source {
        bytes: &bytes[..length as usize],
        ..*source
    };
    let (text, next) = chunk(&whole, 12, *b"JSON")?;
    let has_binary = next < whole.bytes.len();
    let binary = has_binary.then(|| chunk(&whole, next, *b"BIN\0"));
    Ok((text, binary.transpose()?.map(|(content, _)| content)))
}

/// The chunk at a byte, and where the next one starts.
fn chunk<'a>(
    source: &Source<'a>,
    at: usize,
    kind: [u8; 4],
) -> Result<(&'a [u8], usize), MeshFileError> {
    let fail = |found: &str| {
        source.malformed(
            format!("byte {at}"),
            format!(
                "the {} chunk {found}",
                String::from_utf8_lossy(&kind).trim_end_matches('\0')
            ),
            CUT_OFF,
        )
    };
    let header = source.bytes.get(at..).and_then(|b| b.first_chunk::<8>());
    let [a, b, c, d, found @ ..] = *header.ok_or_else(|| fail("is missing"))?;
    if found != kind {
        return Err(fail("is missing; another one stands in its place"));
    }
    let (start, length) = (at + 8, u32::from_le_bytes([a, b, c, d]) as usize);
    let content = source.bytes.get(start..start + length);
    Ok((
        content.ok_or_else(|| fail("goes past the end of the file"))?,
        start + length,
    ))
}

fn root(source: &Source, text: &[u8]) -> Result<json::Root, MeshFileError> {
    if text.iter().filter(|&&b| b == b'{').count() > MAX_OBJECTS {
        return Err(source.unsupported(
            format!("the glTF JSON holds more than {MAX_OBJECTS} objects"),
            "Join or simplify the meshes",
        ));
    }
    let root: json::Root = json::deserialize::from_slice(text)
        .map_err(|e| source.malformed("glTF JSON", e.to_string(), EXPORT_AGAIN))?;
    // These change what is drawn, not where the surface is.
    let harmless = [
        "KHR_materials_",
        "KHR_texture_",
        "KHR_lights_",
        "EXT_texture_",
    ];
    let refused = root
        .extensions_required
        .iter()
        .find(|name| !harmless.iter().any(|prefix| name.starts_with(prefix)));
    match refused {
        None => Ok(root),
        Some(name) => Err(source.malformed(
            "glTF extensionsRequired",
            format!("the file needs “{}”, which is not read", shortened(name)),
            "Export the mesh without compression or extensions",
        )),
    }
}

struct File<'a> {
    source: &'a Source<'a>,
    root: &'a json::Root,
    binary: Option<&'a [u8]>,
    /// Buffers other than the binary chunk, by number.
    loaded: BTreeMap<usize, Vec<u8>>,
    loaded_bytes: u64,
}

/// Numbers of one accessor: so many, each `stride` bytes after the last.
struct Strided<'a> {
    bytes: &'a [u8],
    stride: usize,
    count: usize,
    component: ComponentType,
}

impl Strided<'_> {
    /// The bytes of one entry from its start. The accessor's extent was checked.
    fn bytes<const N: usize>(&self, entry: usize, offset: usize) -> [u8; N] {
        let at = entry * self.stride + offset;
        std::array::from_fn(|i| self.bytes[at + i])
    }
    fn place(&self, entry: u32) -> [f32; 3] {
        std::array::from_fn(|axis| f32::from_le_bytes(self.bytes(entry as usize, 4 * axis)))
    }
    fn index(&self, entry: usize) -> u32 {
        match self.component {
            ComponentType::U8 => u32::from(self.bytes::<1>(entry, 0)[0]),
            ComponentType::U16 => u32::from(u16::from_le_bytes(self.bytes(entry, 0))),
            _ => u32::from_le_bytes(self.bytes(entry, 0)),
        }
    }
}

impl File<'_> {
    fn scene(&mut self) -> Result<Vec<Surface>, MeshFileError> {
        let placed = self.placed_nodes()?;
        self.check_total(&placed)?;
        let mut surfaces = Vec::new();
        for (number, world_from_node) in placed {
            self.node_surfaces(number, &world_from_node, &mut surfaces)?;
        }
        Ok(surfaces)
    }

    /// The scene's nodes that have a mesh, in order, and where they are.
    fn placed_nodes(&self) -> Result<Vec<(usize, na::Matrix4<f64>)>, MeshFileError> {
        let nodes = &self.root.nodes;
        let mut seen = vec![false; nodes.len()];
        let mut placed = Vec::new();
        let roots = self.roots()?.into_iter().rev();
        let mut stack: Vec<_> = roots.map(|node| (node, na::Matrix4::identity())).collect();
        while let Some((number, world_from_parent)) = stack.pop() {
            let Some(node) = nodes.get(number) else {
                return Err(self.bad(format!("node {number}"), "it does not exist"));
            };
            if std::mem::replace(&mut seen[number], true) {
                let found = "it is reached twice from the scene";
                return Err(self.bad(format!("node {number}"), found));
            }
            let world_from_node = world_from_parent * self.parent_from_node(number, node)?;
            let children = node.children.iter().flatten().rev();
            stack.extend(children.map(|child| (child.value(), world_from_node)));
            if node.mesh.is_some() {
                placed.push((number, world_from_node));
            }
        }
        Ok(placed)
    }

    /// Holds the triangles that all nodes together claim against what is read.
    fn check_total(&self, placed: &[(usize, na::Matrix4<f64>)]) -> Result<(), MeshFileError> {
        let mut total = 0u64;
        for (number, _) in placed {
            let mesh = self.root.nodes[*number].mesh.map(|mesh| mesh.value());
            let mesh = mesh.and_then(|mesh| self.root.meshes.get(mesh));
            for primitive in mesh.iter().flat_map(|mesh| &mesh.primitives) {
                total = total.saturating_add(self.claimed_triangles(primitive));
            }
            if total > MAX_TRIANGLES {
                return Err(self.source.malformed(
                    format!("node {number}"),
                    format!("with it the scene has more than {MAX_TRIANGLES} triangles"),
                    "Simplify the mesh, or export it without repeated instances",
                ));
            }
        }
        Ok(())
    }

    /// An upper bound. Claims that no file could hold count nothing: the accessor is refused later.
    fn claimed_triangles(&self, primitive: &Primitive) -> u64 {
        let positions = primitive
            .attributes
            .get(&Checked::Valid(Semantic::Positions));
        let accessor = primitive.indices.as_ref().or(positions);
        let accessor = accessor.and_then(|a| self.root.accessors.get(a.value()));
        let corners = accessor.map_or(0, |accessor| accessor.count.0);
        match primitive.mode {
            _ if corners > MAX_FILE_BYTES => 0,
            Checked::Valid(Mode::Triangles) => corners / 3,
            _ => corners,
        }
    }

    /// The nodes of the default scene, or of the first, or without scenes all that have no parent.
    fn roots(&self) -> Result<Vec<usize>, MeshFileError> {
        let number = self.root.scene.map_or(0, |scene| scene.value());
        if let Some(scene) = self.root.scenes.get(number) {
            return Ok(scene.nodes.iter().map(|node| node.value()).collect());
        }
        if self.root.scene.is_some() {
            return Err(self.bad(format!("scene {number}"), "it does not exist"));
        }
        let mut has_parent = vec![false; self.root.nodes.len()];
        for child in self
            .root
            .nodes
            .iter()
            .flat_map(|n| n.children.iter().flatten())
        {
            if let Some(flag) = has_parent.get_mut(child.value()) {
                *flag = true;
            }
        }
        Ok((0..has_parent.len()).filter(|&n| !has_parent[n]).collect())
    }

    fn parent_from_node(
        &self,
        number: usize,
        node: &json::Node,
    ) -> Result<na::Matrix4<f64>, MeshFileError> {
        let matrix = match node.matrix {
            Some(columns) => na::Matrix4::from_column_slice(&columns.map(f64::from)),
            None => placement(node),
        };
        if matrix.iter().all(|v| v.is_finite()) {
            return Ok(matrix);
        }
        Err(self.bad(
            format!("node {number}"),
            "its transform holds a number that is not finite",
        ))
    }

    fn node_surfaces(
        &mut self,
        number: usize,
        world_from_node: &na::Matrix4<f64>,
        surfaces: &mut Vec<Surface>,
    ) -> Result<(), MeshFileError> {
        let node = &self.root.nodes[number];
        let Some(mesh) = node
            .mesh
            .and_then(|mesh| self.root.meshes.get(mesh.value()))
        else {
            return Err(self.bad(format!("node {number}"), "its mesh does not exist"));
        };
        let name = node.name.as_ref().or(mesh.name.as_ref());
        let name = name.map_or_else(|| format!("node {number}"), Clone::clone);
        for (p, primitive) in mesh.primitives.iter().enumerate() {
            let name = match mesh.primitives.len() {
                1 => name.clone(),
                _ => format!("{name}#{}", p + 1),
            };
            let place = format!("primitive {p} of node {number} (“{}”)", shortened(&name));
            let mut surface = self.primitive(&place, name, primitive)?;
            move_to_world(&mut surface, world_from_node);
            surfaces.push(surface);
        }
        Ok(())
    }

    /// The primitive in its node's own axes; without triangles for points and lines.
    fn primitive(
        &mut self,
        place: &str,
        name: String,
        primitive: &Primitive,
    ) -> Result<Surface, MeshFileError> {
        let Checked::Valid(mode) = primitive.mode else {
            return Err(self.bad(place, "its mode is unknown"));
        };
        if !matches!(
            mode,
            Mode::Triangles | Mode::TriangleStrip | Mode::TriangleFan
        ) {
            return Ok(Surface::named(name));
        }
        let positions = primitive
            .attributes
            .get(&Checked::Valid(Semantic::Positions));
        let Some(positions) = positions.map(|accessor| accessor.value()) else {
            return Err(self.bad(place, "it has no POSITION"));
        };
        self.load_buffer_of(place, positions)?;
        if let Some(indices) = primitive.indices {
            self.load_buffer_of(place, indices.value())?;
        }
        let positions = self.positions(place, positions)?;
        let corners = self.corners(place, primitive, positions.count)?;
        let triangles = self.triangles(place, mode, &corners)?;
        Ok(Surface::compact(name, &triangles, |v| positions.place(v)))
    }

    fn positions(&self, place: &str, accessor: usize) -> Result<Strided<'_>, MeshFileError> {
        let positions = self.accessor(place, accessor, Type::Vec3)?;
        if positions.component == ComponentType::F32 {
            return Ok(positions);
        }
        Err(self.bad(place, "its POSITION is not stored as 32-bit floats"))
    }

    /// The vertex of each corner.
    fn corners(
        &self,
        place: &str,
        primitive: &Primitive,
        vertices: usize,
    ) -> Result<Vec<u32>, MeshFileError> {
        let Some(indices) = primitive.indices else {
            return Ok((0..vertices as u32).collect());
        };
        let indices = self.accessor(place, indices.value(), Type::Scalar)?;
        use ComponentType::{U8, U16, U32};
        if !matches!(indices.component, U8 | U16 | U32) {
            return Err(self.bad(place, "its indices are not whole numbers without sign"));
        }
        let corners: Vec<u32> = (0..indices.count)
            .map(|entry| indices.index(entry))
            .collect();
        match corners.iter().position(|&v| v as usize >= vertices) {
            None => Ok(corners),
            Some(at) => Err(self.bad(
                place,
                &format!(
                    "index {at} refers to vertex {}, but there are only {vertices}",
                    corners[at]
                ),
            )),
        }
    }

    fn triangles(
        &self,
        place: &str,
        mode: Mode,
        corners: &[u32],
    ) -> Result<Vec<[u32; 3]>, MeshFileError> {
        let windows = || corners.windows(3).enumerate();
        Ok(match mode {
            Mode::TriangleStrip => windows()
                .map(|(i, c)| match i % 2 {
                    0 => [c[0], c[1], c[2]],
                    _ => [c[1], c[0], c[2]],
                })
                .collect(),
            Mode::TriangleFan => windows().map(|(_, c)| [corners[0], c[1], c[2]]).collect(),
            _ => {
                let (triangles, rest) = corners.as_chunks::<3>();
                if !rest.is_empty() {
                    return Err(self.bad(
                        place,
                        &format!("its {} corners do not make whole triangles", corners.len()),
                    ));
                }
                triangles.to_vec()
            }
        })
    }

    /// An accessor whose whole extent lies inside its buffer view and buffer.
    fn accessor(
        &self,
        place: &str,
        number: usize,
        kind: Type,
    ) -> Result<Strided<'_>, MeshFileError> {
        let fail = |found: &str| self.bad(format!("accessor {number}, {place}"), found);
        let accessor = self
            .root
            .accessors
            .get(number)
            .ok_or_else(|| fail("it does not exist"))?;
        let Checked::Valid(component) = accessor.component_type else {
            return Err(fail("its component type is unknown"));
        };
        if accessor.type_ != Checked::Valid(kind) {
            return Err(fail(&format!("it is not of type {kind:?}")));
        }
        if accessor.sparse.is_some() {
            return Err(fail("it is sparse, which is not read"));
        }
        let size = component.0.size() * kind.multiplicity();
        let view = accessor
            .buffer_view
            .and_then(|v| self.root.buffer_views.get(v.value()));
        let view = view.ok_or_else(|| fail("it has no data (perhaps they are compressed)"))?;
        let stride = view.byte_stride.map_or(size, |stride| stride.0);
        let count = accessor.count.0;
        let start = accessor.byte_offset.map_or(0, |offset| offset.0);
        let bytes = self
            .view_bytes(view)
            .and_then(|bytes| bytes.get(usize::try_from(start).ok()?..));
        let fits = |bytes: &&[u8]| extent(stride, count, size) <= Some(bytes.len() as u64);
        let bytes =
            bytes.filter(|b| stride >= size && extent(stride, count, size).is_some() && fits(b));
        Ok(Strided {
            bytes: bytes.ok_or_else(|| fail("its data do not lie inside the file"))?,
            stride,
            count: count as usize,
            component: component.0,
        })
    }

    fn view_bytes(&self, view: &json::buffer::View) -> Option<&[u8]> {
        let start = usize::try_from(view.byte_offset.map_or(0, |offset| offset.0)).ok()?;
        let length = usize::try_from(view.byte_length.0).ok()?;
        self.buffer(view.buffer.value())?
            .get(start..start.checked_add(length)?)
    }

    fn buffer(&self, number: usize) -> Option<&[u8]> {
        match self.loaded.get(&number) {
            Some(bytes) => Some(bytes),
            None if number == 0 => self.binary,
            None => None,
        }
    }

    /// Loads the buffer that an accessor needs, unless it is the binary chunk or there already.
    fn load_buffer_of(&mut self, place: &str, accessor: usize) -> Result<(), MeshFileError> {
        let view = self
            .root
            .accessors
            .get(accessor)
            .and_then(|a| a.buffer_view);
        let view = view.and_then(|view| self.root.buffer_views.get(view.value()));
        let Some(number) = view.map(|view| view.buffer.value()) else {
            return Ok(());
        };
        let uri = self.root.buffers.get(number).and_then(|b| b.uri.as_deref());
        let Some(uri) = uri.filter(|_| !self.loaded.contains_key(&number)) else {
            return Ok(());
        };
        let bytes = self.load(place, uri)?;
        self.loaded_bytes += bytes.len() as u64;
        if self.loaded_bytes > MAX_FILE_BYTES {
            return Err(self.bad(place, "its buffers are larger than what is read"));
        }
        self.loaded.insert(number, bytes);
        Ok(())
    }

    fn load(&self, place: &str, uri: &str) -> Result<Vec<u8>, MeshFileError> {
        if let Some(data) = uri.strip_prefix("data:") {
            let text = data.split_once(";base64,").map(|(_, text)| text);
            return text
                .and_then(base64)
                .ok_or_else(|| self.bad(place, "its buffer is no base64 text"));
        }
        let Some(folder) = self.source.folder.filter(|_| !uri.contains("://")) else {
            return Err(self.source.malformed(
                place,
                format!("its buffer is in another place (“{}”)", shortened(uri)),
                "Export one .glb file, which holds everything",
            ));
        };
        let name =
            percent_decoded(uri).ok_or_else(|| self.bad(place, "its buffer's name is no text"))?;
        read_whole(&folder.join(name.as_ref()))
    }

    fn bad(&self, place: impl Into<String>, found: &str) -> MeshFileError {
        self.source.malformed(place, found, EXPORT_AGAIN)
    }
}

/// Bytes from the first to the end of the last entry; `None` if that is past all counting.
fn extent(stride: usize, count: u64, size: usize) -> Option<u64> {
    match count.checked_sub(1) {
        None => Some(0),
        Some(steps) => steps.checked_mul(stride as u64)?.checked_add(size as u64),
    }
}

/// Translation · rotation · scale.
fn placement(node: &json::Node) -> na::Matrix4<f64> {
    let translation = node.translation.unwrap_or_default().map(f64::from);
    let scale = node.scale.unwrap_or([1.0; 3]).map(f64::from);
    let [x, y, z, w] = node.rotation.unwrap_or_default().0.map(f64::from);
    let rotation = na::UnitQuaternion::from_quaternion(na::Quaternion::new(w, x, y, z));
    na::Matrix4::new_translation(&translation.into())
        * rotation.to_homogeneous()
        * na::Matrix4::new_nonuniform_scaling(&scale.into())
}

/// Moves the vertices; a mirroring transform also turns the triangles.
fn move_to_world(surface: &mut Surface, world_from_node: &na::Matrix4<f64>) {
    for vertex in &mut surface.vertices {
        let place = na::Point3::from(vertex.map(f64::from));
        let moved = world_from_node.fixed_view::<3, 4>(0, 0) * place.to_homogeneous();
        *vertex = std::array::from_fn(|axis| moved[axis] as f32);
    }
    if world_from_node.fixed_view::<3, 3>(0, 0).determinant() < 0.0 {
        for corners in &mut surface.triangles {
            corners.swap(1, 2);
        }
    }
}

/// RFC 4648 §4.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0u32, 0);
    for &letter in text {
        bits = bits << 6 | u32::from(sextet(letter)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// "a%20b" → "a b".
fn percent_decoded(uri: &str) -> Option<Cow<'_, str>> {
    if !uri.contains('%') {
        return Some(uri.into());
    }
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
