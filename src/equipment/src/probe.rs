//! Ultrasound probes.

use anatomy::tissue::DisplayName;
use catalog::POSITIVE;

catalog::record! {
    /// An ultrasound probe, as in `assets/probes/*.ron`.
    ///
    /// Its frame is [`geometry::frame::Probe`]: the origin in the middle of the face.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Probe {
        /// How people call it.
        pub name: DisplayName,
        /// Where its elements are.
        pub array: Array,
        /// Centre of the pulse-echo band, MHz.
        pub center_frequency_mhz: f64 [0.5..=80.0],
        /// Pulse-echo −6 dB bandwidth over the centre frequency.
        pub fractional_bandwidth: f64 [0.05..=1.5],
        /// Transmit frequencies that the console offers, MHz.
        pub frequencies_mhz: Vec<f64>,
        /// The lens across the scan plane.
        pub elevation: Elevation,
        /// What the skin touches.
        pub face: Face,
        /// Least and greatest depth that the console offers, mm.
        pub depth_range_mm: (f64, f64),
    }
}

catalog::choice! {
    /// Where the elements of a probe are, and how its lines run from them.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Array {
        /// In a straight row; parallel lines.
        Linear {
            /// How many.
            elements: u32 [1..=1024],
            /// Distance of neighbours' middles.
            pitch_mm: f64 [0.01..=5.0],
            /// Width of one.
            element_width_mm: f64 [0.005..=5.0],
        },
        /// On an arc; lines along its radii.
        Curved {
            /// How many.
            elements: u32 [1..=1024],
            /// Distance of neighbours' middles along the arc.
            pitch_mm: f64 [0.01..=5.0],
            /// Width of one.
            element_width_mm: f64 [0.005..=5.0],
            /// Radius of the arc.
            radius_mm: f64 [1.0..=500.0],
        },
        /// In a straight row; lines fan out from its middle.
        Phased {
            /// How many.
            elements: u32 [1..=1024],
            /// Distance of neighbours' middles.
            pitch_mm: f64 [0.01..=5.0],
            /// Width of one.
            element_width_mm: f64 [0.005..=5.0],
            /// Whole opening of the fan.
            sector_deg: f64 [10.0..=120.0],
        },
        /// One round element that turns on a catheter; lines all round it.
        Rotational {
            /// Diameter of the element.
            element_mm: f64 [0.1..=10.0],
            /// Distance of its face from the axis.
            radius_mm: f64 [0.1..=20.0],
            /// Frames follow from it.
            revolutions_per_minute: f64 [60.0..=20000.0],
            /// How far from the face the ring-down of the element hides the image.
            ring_down_mm: f64 [0.0..=20.0] = 0.0,
        },
    }
}

catalog::record! {
    /// The aperture across the scan plane and its fixed focus.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Elevation {
        /// Height of the elements.
        pub aperture_mm: f64 [POSITIVE],
        /// Depth of the lens' focus, from the face.
        pub focus_mm: f64 [POSITIVE],
    }
}

catalog::record! {
    /// The front of a probe.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Face {
        /// Share of the pressure of a wave coming back from the body that the face throws into the
        /// body again: what reverberation lives from.
        pub reflectivity: f64 [0.0..=1.0],
        /// Thickness of the lens: in air the pulse rings in it.
        pub lens_mm: f64 [0.0..=5.0],
        /// Speed of sound in the lens.
        pub lens_speed_m_s: f64 [500.0..=4000.0] = 1000.0,
    }
}
