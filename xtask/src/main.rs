//! The project's automation. It needs nothing but cargo; `cargo xtask test` gets the rest, or says what it lacks.

mod bench;
mod browser;
mod demo;
mod documents;
mod golden;
mod needs;
mod postgres;
mod run;
mod source;
mod tests;
mod tidy;

use std::io::Write as _;
use std::process::ExitCode;

/// What `cargo xtask` does, as its help says.
const HELP: &str = "\
cargo xtask check                what a commit must pass: format, lints, tidy, tests on SQLite
cargo xtask test [--no-install] [--kills N]
                                 what a submission must pass: the same, PostgreSQL, documents, browser; the server is
                                 killed 15 times on each database unless N says otherwise
cargo xtask demo                 serve throw-away records with fourteen people in them
cargo xtask tidy                 the house's own rules
cargo xtask bench [server|engine]  the speed and size of the release build, against their bars
cargo xtask docs                 write the generated documents
cargo xtask browser [NAME]       the browser tests, or those whose file has NAME in its name
cargo xtask golden --reference DIR  the tests on data that may not be shipped, which are in DIR
cargo xtask postgres COMMAND...  run COMMAND with TEST_POSTGRES_URL set to a throw-away PostgreSQL
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = run::go_to_the_root().and_then(|()| match words.as_slice() {
        ["check"] => tests::check(),
        ["test", rest @ ..] => tests::Wanted::read(rest).and_then(|wanted| tests::all(&wanted)),
        ["demo"] => demo::run_demo(),
        ["tidy"] => tidy::tidy(),
        ["bench", rest @ ..] => bench::run(rest),
        ["docs"] => documents::write(),
        ["browser"] => browser::alone(""),
        ["browser", name] => browser::alone(name),
        ["golden", "--reference", dir] => golden::run(dir),
        ["postgres", program, rest @ ..] => postgres::with(program, rest),
        _ => Err(format!("write one of these:\n{HELP}")),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            let _ = writeln!(std::io::stderr(), "xtask: {what}");
            ExitCode::FAILURE
        }
    }
}
