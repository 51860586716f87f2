//! The measuring tools that are known by name. How their outputs are read is another matter.

/// A tool, or the format of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Adapter {
    /// The directory that criterion keeps, version 0.5 and later.
    CriterionDir,
    /// The messages of cargo-criterion.
    CargoCriterionJsonl,
    /// `hyperfine --export-json`.
    HyperfineJson,
    /// The summaries of gungraun, versions 1 to 7.
    GungraunJson,
    /// `cargo bench` of the standard library's harness, as text or JSON lines.
    LibtestBench,
    /// No tool: the runner times each process, and there is no output to read.
    Process,
    /// The dumps of tango-bench, a pair of samples per line.
    TangoCsv,
    /// The JUnit report of cargo-nextest.
    NextestJunit,
    /// Bencher's metric format.
    BmfJson,
    /// The custom format of github-action-benchmark.
    ActionBenchmarkJson,
}

impl Adapter {
    /// All of them, by name.
    pub const ALL: [Self; 10] = [
        Self::ActionBenchmarkJson,
        Self::BmfJson,
        Self::CargoCriterionJsonl,
        Self::CriterionDir,
        Self::GungraunJson,
        Self::HyperfineJson,
        Self::LibtestBench,
        Self::NextestJunit,
        Self::Process,
        Self::TangoCsv,
    ];

    /// Its name in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CriterionDir => "criterion_dir",
            Self::CargoCriterionJsonl => "cargo_criterion_jsonl",
            Self::HyperfineJson => "hyperfine_json",
            Self::GungraunJson => "gungraun_json",
            Self::LibtestBench => "libtest_bench",
            Self::TangoCsv => "tango_csv",
            Self::NextestJunit => "nextest_junit",
            Self::Process => "process",
            Self::BmfJson => "bmf_json",
            Self::ActionBenchmarkJson => "action_benchmark_json",
        }
    }

    /// The adapter of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|adapter| adapter.name() == name)
    }

    /// Whether it never yields samples; a summary feeds an advisory lane only.
    #[must_use]
    pub const fn is_summary_only(self) -> bool {
        match self {
            Self::GungraunJson
            | Self::LibtestBench
            | Self::NextestJunit
            | Self::BmfJson
            | Self::ActionBenchmarkJson => true,
            Self::CriterionDir
            | Self::CargoCriterionJsonl
            | Self::HyperfineJson
            | Self::Process
            | Self::TangoCsv => false,
        }
    }

    /// Whether it reads both arms from one output; the others read the arm that `Settings::arm` names.
    #[must_use]
    pub const fn reads_both_arms(self) -> bool {
        matches!(self, Self::GungraunJson | Self::TangoCsv)
    }
}
