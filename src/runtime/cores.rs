//! No memory images of this program on disk: they would hold passwords and mail under embargo.

/// Asks the system to write no core file when the program crashes. Where it refuses, nothing else can be done.
pub fn none() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    // The limit does not hold where a program collects the images (core(5), "Piping core dumps to a program").
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
