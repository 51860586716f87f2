//! tmp
/// tmp
pub fn render_argv(argv: &[String]) -> String {
    argv.join(" ")
}
