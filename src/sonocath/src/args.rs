//! What can be said on the command line.

use std::path::PathBuf;

use anatomy::recipe::FindingChoice;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Ultrasound and catheter training sandbox.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub struct Arguments {
    /// Print one JSON object instead of text
    #[arg(long, global = true)]
    pub json: bool,

    /// Language of names and captions
    #[arg(long, global = true, value_enum, default_value_t = Language::En, env = "SONOCATH_LANG")]
    pub lang: Language,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// Language of what a trainee or instructor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// 简体中文
    Zh,
}

/// The program's subjects.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make, import, check and look at patients
    #[command(subcommand)]
    Patient(PatientCommand),
    /// Make ultrasound pictures of a patient, and the truth beside them
    Scan(Box<ScanArguments>),
    /// Open the room: play a scenario in a window
    Train(TrainArguments),
    /// Play a scenario without a window: from a script, or a recording again
    Play(PlayArguments),
    /// Score a recording, also one that was broken off
    Score(ScoreArguments),
    /// The probes that are built in
    #[command(subcommand)]
    Probe(ListCommand),
    /// The machine settings that are built in
    #[command(subcommand)]
    Preset(ListCommand),
    /// The scenarios that are built in
    #[command(subcommand)]
    Scenario(ListCommand),
    /// Measure how fast this machine is
    #[command(subcommand)]
    Bench(BenchCommand),
}

/// What can be done with what is built in.
#[derive(Debug, Subcommand)]
pub enum ListCommand {
    /// List them
    List,
}

/// What can be done with patients.
#[derive(Debug, Subcommand)]
pub enum PatientCommand {
    /// List the built-in recipes and the patient folders in a directory
    List(ListArguments),
    /// Make a patient from a recipe
    Make(MakeArguments),
    /// Import a real patient from a CT label map, from surfaces, or both
    Import(Box<ImportArguments>),
    /// List the standard planes of a patient
    Planes(PlanesArguments),
    /// Check that every structure is closed, sound and plausible
    Check(CheckArguments),
    /// Write a PNG contact sheet: shaded views, three cuts, names
    Preview(PreviewArguments),
}

/// `patient list`
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Directory whose sub-folders are looked at
    #[arg(default_value = ".")]
    pub directory: PathBuf,
    /// List the names of structures that an import knows instead
    #[arg(long)]
    pub structures: bool,
    /// List what can be set in a recipe, and which diseases can be switched on, instead
    #[arg(long, value_name = "RECIPE", conflicts_with = "structures")]
    pub parameters: Option<String>,
}

/// `patient make`
#[derive(Debug, Args)]
pub struct MakeArguments {
    /// Recipe, as `patient list` names it, or the path of one (*.ron)
    pub recipe: String,
    /// A parameter of the recipe, such as bmi=32 (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = anatomy::recipe::setting)]
    pub set: Vec<(String, String)>,
    /// A disease, such as gallstones or gallstones:count=5,size_mm=8 (repeatable)
    #[arg(long, value_name = "FINDING[:NAME=VALUE,…]")]
    pub finding: Vec<FindingChoice>,
    /// Seed of natural variation: the same seed gives the same patient
    #[arg(long, default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// Draw the parameters that are not set over their whole range, by the seed
    #[arg(long)]
    pub vary: bool,
    /// Folder to write
    #[arg(long)]
    pub out: PathBuf,
    /// Replace the folder if it holds a patient
    #[arg(long)]
    pub force: bool,
}

/// `patient import`
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// Label map: NIfTI, NRRD or MetaImage
    #[arg(long, value_name = "FILE", required_unless_present_any = ["mesh", "centerlines"])]
    pub labels: Option<PathBuf>,
    /// CT on the same grid, in Hounsfield units: gives skin and soft tissue
    #[arg(long, value_name = "FILE", requires = "labels")]
    pub ct: Option<PathBuf>,
    /// Label numbers to structure names, JSON ({"5": "liver"}); `TotalSegmentator` is known already
    #[arg(long, value_name = "FILE", requires = "labels")]
    pub names: Option<PathBuf>,
    /// A surface and the structure it is: STL, OBJ, PLY or GLB (repeatable)
    #[arg(long, value_name = "FILE=STRUCTURE")]
    pub mesh: Vec<String>,
    /// Unit of the --mesh and --centerlines files [default: mm; m for glTF]
    #[arg(long, value_name = "mm|cm|m|in")]
    pub unit: Option<String>,
    /// Where patient left, posterior, superior lie in the --mesh and --centerlines files, such as
    /// LPS, RAS, y-up or y,-z,-x [default: LPS; y-up for glTF]
    #[arg(long, value_name = "AXES", allow_hyphen_values = true)]
    pub axes: Option<String>,
    /// Close open or self-crossing surfaces by winding-number remesh
    #[arg(long)]
    pub repair: bool,
    /// 3D Slicer curves (*.mrk.json) as vessel centrelines; else they come from the surfaces
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub centerlines: Vec<PathBuf>,
    /// Leave these label numbers out (repeatable)
    #[arg(long, value_name = "NUMBER")]
    pub ignore_label: Vec<u16>,
    /// The patient's name [default: the output folder's name]
    #[arg(long)]
    pub name: Option<String>,
    /// Add what the files do not hold: pyramids and sinus of the kidneys and more, marked as
    /// modelled [default]
    #[arg(long, overrides_with = "no_enrich")]
    pub enrich: bool,
    /// Add nothing that the files do not hold
    #[arg(long)]
    pub no_enrich: bool,
    /// Seed of what is added
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// Folder to write
    #[arg(long)]
    pub out: PathBuf,
    /// Replace the folder if it holds a patient
    #[arg(long)]
    pub force: bool,
}

/// `patient planes`
#[derive(Debug, Args)]
pub struct PlanesArguments {
    /// Patient folder, or a built-in recipe
    pub patient: PathBuf,
}

/// `patient check`
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Patient folder, or a built-in recipe
    pub patient: PathBuf,
}

/// `patient preview`
#[derive(Debug, Args)]
pub struct PreviewArguments {
    /// Patient folder, or a built-in recipe
    pub patient: PathBuf,
    /// PNG file to write
    #[arg(long)]
    pub out: PathBuf,
    /// Where the three cuts meet, patient LPS millimetres [default: middle of the organs]
    #[arg(long, value_name = "X,Y,Z", allow_hyphen_values = true)]
    pub at: Option<String>,
}

/// `scan`
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("where").required(true).args(["pose", "plane", "sweep"])))]
pub struct ScanArguments {
    /// Patient folder, or a built-in recipe
    #[arg(long, value_name = "PATIENT")]
    pub patient: PathBuf,
    /// Where the probe is held: middle of the face (patient LPS, mm), where the marker side points,
    /// where the sound goes; directions are words or x,y,z:
    /// 10,-95,20:right:posterior or 10,-95,20:-1,0,0:0,1,0
    #[arg(long, value_name = "X,Y,Z:MARKER:DEPTH", allow_hyphen_values = true)]
    pub pose: Option<String>,
    /// A standard plane of the patient (`patient planes` lists them), with the probe on the skin
    #[arg(long, value_name = "NAME")]
    pub plane: Option<String>,
    /// A sweep over planes and poses
    #[arg(long, value_name = "FILE")]
    pub sweep: Option<PathBuf>,
    /// Built-in probe (`probe list` lists them), or a probe file (*.ron)
    #[arg(long, value_name = "NAME|FILE")]
    pub probe: String,
    /// What the machine is set to [default: what suits the probe]
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    pub settings: Option<PathBuf>,
    /// Built-in settings (`preset list` lists them)
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// Press the machine's Auto button on the first frame: depth and focus for the plane, gain and
    /// time gain for an even grey; the settings that come out are written beside the pictures
    #[arg(long)]
    pub auto: bool,
    /// Folder to write
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Write echoes and envelopes too (NumPy), with the facts of each frame (JSON)
    #[arg(long)]
    pub raw: bool,
    /// Write which structure and which path made each point (PNG), with a legend
    #[arg(long)]
    pub labels: bool,
    /// Write a film: MP4 where ffmpeg is installed, else an animated PNG
    #[arg(long)]
    pub video: bool,
    /// Replace the folder if it holds a scan
    #[arg(long)]
    pub force: bool,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,
    /// Thickness of the gel, mm: gaps up to it carry sound
    #[arg(
        long,
        value_name = "MM",
        default_value_t = 5.0,
        allow_hyphen_values = true
    )]
    pub gel: f64,
    /// Frames to make [default: 1, or what the sweep says]
    #[arg(long, value_name = "N")]
    pub frames: Option<u32>,
    /// How far breathed in: out, in (a quiet breath), deep, or a number of quiet breaths
    #[arg(long, value_name = "out|in|deep|N", default_value = "out")]
    pub breath: String,
    /// The patient breathes while frames are made: a film shows organs gliding [--breathing alone:
    /// quietly]
    #[arg(
        long,
        value_name = "quiet|deep|N",
        num_args = 0..=1,
        default_missing_value = "quiet",
        conflicts_with = "breath"
    )]
    pub breathing: Option<String>,
    /// Where in its beat the heart is: 0 at the end of filling, to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub heart_phase: f64,
    /// The heart beats while frames are made, at the patient's rate
    #[arg(long)]
    pub beating: bool,
    /// How the patient lies: supine, left-decubitus
    #[arg(long, value_name = "POSTURE", default_value = "supine")]
    pub posture: String,
    /// The arms are raised over the head
    #[arg(long)]
    pub arm_up: bool,
    /// Size of the picture, points
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1280x960")]
    pub size: String,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Ultrasound: frames a second, and which stage takes how much
    Ultrasound(BenchUltrasoundArguments),
}

/// `bench ultrasound`
#[derive(Debug, Args)]
pub struct BenchUltrasoundArguments {
    /// Threads to use [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// How long to measure each case
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 3.0,
        allow_hyphen_values = true
    )]
    pub seconds: f64,
    /// Patient folder, or a built-in recipe
    #[arg(long, value_name = "PATIENT", default_value = "phantom-torso")]
    pub patient: PathBuf,
}

/// `train`: handed on to the trainer as it is.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct TrainArguments {
    /// What `sonocath-trainer --help` lists: scenario, --patient, --seed, --out, --headless, …
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<std::ffi::OsString>,
}

/// `play`
#[derive(Debug, Args)]
pub struct PlayArguments {
    /// Scenario: a built-in one or a file (*.ron) [default with --replay: the recording's own]
    #[arg(required_unless_present = "replay")]
    pub scenario: Option<PathBuf>,
    /// What the hand does, move after move
    #[arg(long, value_name = "FILE", required_unless_present = "replay")]
    pub script: Option<PathBuf>,
    /// Play the inputs of a recording again instead; it has to come out the same
    #[arg(long, value_name = "RECORDING", conflicts_with = "script")]
    pub replay: Option<PathBuf>,
    /// Another patient than the scenario's: a folder or a built-in recipe
    #[arg(long, value_name = "PATIENT")]
    pub patient: Option<PathBuf>,
    /// Seed of everything random [default: 0, or the recording's]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// Folder for recording, report and pictures; new or empty
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
}

/// `score`
#[derive(Debug, Args)]
pub struct ScoreArguments {
    /// A recording (*.mcap), or what a crash left of it (*.mcap.part)
    pub recording: PathBuf,
    /// Write the report too: one HTML page
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// What random numbers begin with.
fn seed(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| {
        "a seed is a whole number of 0 and above, such as 7; the same number gives the same result"
            .to_owned()
    })
}
