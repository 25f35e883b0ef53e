//! What kind of file it is and in which version, and the way up from older versions.

use crate::node::{Kind, Node, clipped};
use crate::{Faults, Finding, FromNode, Span, nearest};

/// One step up in version: changes the tree of a file of version `n` to one of `n + 1`. It need
/// not check what reading checks anyway: what it does not find, it leaves alone.
pub type Migration = fn(&mut Node, &mut Faults);

/// A kind of file. Every file begins with its name and version: `Tissues(version: 2, …)`.
///
/// ```
/// use catalog::{Faults, Format, Node};
///
/// /// Version 2 calls the density by its unit.
/// fn density_in_its_unit(root: &mut Node, _: &mut Faults) {
///     root.rename_field("density", "density_kg_m3");
/// }
///
/// const TISSUES: Format = Format::new("Tissues", 2).with_migrations(&[density_in_its_unit]);
///
/// catalog::record! {
///     struct Tissues { density_kg_m3: f64 }
/// }
///
/// let read = catalog::read_str::<Tissues>("Tissues(version: 1, density: 1060)", "t.ron", &TISSUES);
/// assert_eq!(read.unwrap().density_kg_m3, 1060.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Format {
    name: &'static str,
    version: u32,
    migrations: &'static [Migration],
    max_bytes: u64,
}

/// The name of the field that every file has.
pub(crate) const VERSION: &str = "version";

impl Format {
    /// Files that begin with `name(version: …`, of which this program writes `version`.
    pub const fn new(name: &'static str, version: u32) -> Self {
        const DEFAULT_MAX_BYTES: u64 = 64 << 20;
        Self {
            name,
            version,
            migrations: &[],
            max_bytes: DEFAULT_MAX_BYTES,
        }
    }

    /// The steps from older versions; the last one leads to this version, so that as many older
    /// versions can be read as there are steps.
    #[must_use]
    pub const fn with_migrations(mut self, migrations: &'static [Migration]) -> Self {
        self.migrations = migrations;
        self
    }

    /// The longest file that is read; 64 MiB if not set, never more than 1 GiB.
    #[must_use]
    pub const fn with_max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The name before the first bracket.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The version this program writes, and the newest it reads.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The oldest version this program reads.
    pub fn oldest(&self) -> u32 {
        let steps = u32::try_from(self.migrations.len()).unwrap_or(u32::MAX);
        self.version.saturating_sub(steps).max(1)
    }

    pub(crate) const fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Takes name and version off the root and brings it up to this version. What is found wrong
    /// and does not keep the rest from being read goes to `faults`.
    ///
    /// # Errors
    ///
    /// Why the rest of the file cannot be judged: another kind, another version.
    pub(crate) fn open(&self, root: &mut Node, faults: &mut Faults) -> Result<(), Finding> {
        self.check_kind(root)?;
        let version = self.take_version(root, faults)?;
        for step in self.steps_from(version) {
            step(root, faults);
        }
        if let Kind::Record(name, _) = &mut root.kind {
            *name = None;
        }
        Ok(())
    }

    fn check_kind(&self, root: &Node) -> Result<(), Finding> {
        let is_record = matches!(&root.kind, Kind::Record(..));
        let is_empty = matches!(&root.kind, Kind::Tuple(_, items) if items.is_empty());
        if (is_record || is_empty) && root.name() == Some(self.name) {
            return Ok(());
        }
        let message = match root.name() {
            Some(name) if name == self.name => format!("`{name}` has no fields"),
            Some(name) if is_record => format!("this is a `{}` file", clipped(name)),
            _ => format!("the file begins with {}", root.describe()),
        };
        let expected = format!("`{}(version: {}, …)`", self.name, self.version);
        let mut finding = Finding::new(beginning(root), message).expected(expected);
        let near = root.name().and_then(|name| nearest(name, [self.name]));
        finding.suggestion = near
            .filter(|near| Some(*near) != root.name())
            .map(str::to_owned);
        Err(finding)
    }

    /// A file that does not say its version is judged as one of this version.
    fn take_version(&self, root: &mut Node, faults: &mut Faults) -> Result<u32, Finding> {
        let Some(node) = root.remove_field(VERSION) else {
            let message = format!("the file does not say its version after `{}(`", self.name);
            let expected = format!("`version: {}`", self.version);
            faults.push(Finding::new(beginning(root), message).expected(expected));
            return Ok(self.version);
        };
        while let Some(again) = root.remove_field(VERSION) {
            let finding = Finding::new(again.span, "the version is given twice");
            faults.push(finding.related("first", node.span));
        }
        let Some(version) = u32::from_node(&node, faults) else {
            return Ok(self.version);
        };
        if (self.oldest()..=self.version).contains(&version) {
            return Ok(version);
        }
        Err(self.unreadable(version, node.span))
    }

    fn unreadable(&self, version: u32, span: Span) -> Finding {
        let kind = if version > self.version {
            "newer"
        } else {
            "older"
        };
        let message = format!(
            "version {version} of `{}` is {kind} than this program reads",
            self.name
        );
        let expected = match (self.oldest(), self.version) {
            (oldest, newest) if oldest == newest => format!("version {newest}"),
            (oldest, newest) => format!("a version from {oldest} to {newest}"),
        };
        Finding::new(span, message).expected(expected)
    }

    fn steps_from(&self, version: u32) -> &'static [Migration] {
        let steps = (self.version - version) as usize;
        &self.migrations[self.migrations.len() - steps..]
    }
}

/// Where the root starts; the whole of it would be the whole file.
fn beginning(root: &Node) -> Span {
    match root.name_span() {
        span if span == root.span => Span {
            end: span.start,
            ..span
        },
        span => span,
    }
}
