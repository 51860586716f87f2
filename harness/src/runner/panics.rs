//! Panics: which attempt they belong to, where they happened, and which belong to nobody.
//!
//! libtest-mimic keeps only the message, and a panic in a detached thread passes everywhere (facts Z6, M7).

use std::{
    backtrace::Backtrace,
    cell::RefCell,
    panic::PanicHookInfo,
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError},
};

/// One panic as the hook saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// The message.
    pub message: String,
    /// File as the compiler names it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// The backtrace, where one is captured (`RUST_BACKTRACE`).
    pub backtrace: Vec<String>,
    /// The thread's name.
    pub thread: String,
}

/// The panics of one attempt.
#[derive(Default)]
pub struct PanicLog {
    own: Mutex<Vec<Panicked>>,
    stray: Mutex<Vec<Panicked>>,
}

impl PanicLog {
    /// Panics on the check's own thread, caught by it or not.
    pub fn own(&self) -> Vec<Panicked> {
        lock(&self.own).clone()
    }

    /// Panics on threads that belong to no attempt, while this one ran.
    pub fn stray(&self) -> Vec<Panicked> {
        lock(&self.stray).clone()
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<PanicLog>>> = const { RefCell::new(None) };
}

static INSTALL: Once = Once::new();
static IN_FLIGHT: Mutex<Vec<Arc<PanicLog>>> = Mutex::new(Vec::new());
static UNCLAIMED: Mutex<Vec<Panicked>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs the hook, once per process. Panics outside every attempt still go to the previous hook.
pub fn install() {
    INSTALL.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let panicked = describe(info);
            let owner = CURRENT.with(|current| current.borrow().clone());
            if let Some(log) = owner {
                lock(&log.own).push(panicked);
                return;
            }
            let in_flight = lock(&IN_FLIGHT);
            if in_flight.is_empty() {
                lock(&UNCLAIMED).push(panicked);
            }
            // Nobody knows whose thread it was, so every attempt that was running answers for it.
            for log in in_flight.iter() {
                lock(&log.stray).push(describe(info));
            }
            drop(in_flight);
            previous(info);
        }));
    });
}

/// Runs `check` on this thread with its panics recorded in `log`.
pub fn recorded<T>(log: &Arc<PanicLog>, check: impl FnOnce() -> T) -> std::thread::Result<T> {
    CURRENT.with(|current| *current.borrow_mut() = Some(Arc::clone(log)));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check));
    CURRENT.with(|current| *current.borrow_mut() = None);
    result
}

/// Counts an attempt as running until the guard is dropped.
pub fn in_flight(log: &Arc<PanicLog>) -> InFlight {
    lock(&IN_FLIGHT).push(Arc::clone(log));
    InFlight(Arc::clone(log))
}

/// See [`in_flight`].
pub struct InFlight(Arc<PanicLog>);

impl Drop for InFlight {
    fn drop(&mut self) {
        lock(&IN_FLIGHT).retain(|log| !Arc::ptr_eq(log, &self.0));
    }
}

/// Panics that happened while no attempt ran. A run with one of them is not a pass.
pub fn unclaimed() -> Vec<Panicked> {
    lock(&UNCLAIMED).clone()
}

/// How many lines of a backtrace a receipt keeps.
const BACKTRACE_LINES: usize = 40;

/// The frames between the panic machinery and the harness: those that the author of the check wrote.
fn frames(backtrace: &str) -> Vec<String> {
    let lines: Vec<&str> = backtrace.lines().map(str::trim).collect();
    let is_machinery =
        |line: &&str| line.contains("core::panicking::") || line.contains("rust_begin_unwind");
    let start = lines.iter().rposition(is_machinery).map_or(0, |n| n + 1);
    let end = lines.iter().position(|line| line.contains("portcullis::runner::attempt::"));
    let shown = lines.get(start..end.unwrap_or(lines.len())).unwrap_or(&lines);
    // The line below the machinery's last frame is its place, not a frame of its own.
    let shown = shown.iter().skip_while(|line| line.starts_with("at "));
    shown.take(BACKTRACE_LINES).map(|line| (*line).to_owned()).collect()
}

fn describe(info: &PanicHookInfo<'_>) -> Panicked {
    let message =
        match (info.payload().downcast_ref::<&str>(), info.payload().downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (None, Some(text)) => text.clone(),
            (None, None) => "a panic whose payload is not text".to_owned(),
        };
    let (file, line, column) = info.location().map_or((String::new(), 0, 0), |place| {
        (place.file().to_owned(), place.line(), place.column())
    });
    Panicked {
        message,
        file,
        line,
        column,
        backtrace: frames(&Backtrace::capture().to_string()),
        thread: std::thread::current().name().unwrap_or("unnamed").to_owned(),
    }
}
