//! The command line.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use base::config::{Config, KEYS, LogFormat};
use base::site::Source;
use clap::{Arg, ArgMatches, Command};

/// Something was wrong with what the operator wrote.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let matches = command().get_matches();
    let outcome = match matches.subcommand() {
        Some(("init", given)) => init(given),
        Some(("calibrate", given)) => bellwether::engine::calibrate::run(given),
        Some(("score", given)) => bellwether::engine::score::run(given),
        Some(("fairness", given)) => bellwether::engine::fairness::run(given),
        Some(("quality", given)) => bellwether::engine::quality::run(given),
        Some(("agreement", given)) => bellwether::engine::agreement::run(given),
        Some(("instrument", given)) => check_instrument(given),
        Some(("check-config", given)) => read(given).map(|_| say("the configuration is valid")),
        Some((_, given)) => read(given).and_then(|config| run(&config)),
        None => read(&matches).and_then(|config| run(&config)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(faults) => {
            let mut err = std::io::stderr().lock();
            for fault in &faults {
                let _ = writeln!(err, "bellwether: {fault}");
            }
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn command() -> Command {
    let keys = || {
        KEYS.iter().map(|key| {
            let help = format!("{} [{}] [default: {}]", key.help, key.env, key.default);
            Arg::new(key.name).long(key.name).value_name(key.value).help(help)
        })
    };
    let dir = Arg::new("dir").required(true).value_name("DIR").help("An empty or new folder");
    Command::new("bellwether")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The system behind a leadership-training provider's page")
        .args(keys())
        .subcommand(Command::new("serve").about("Serve the site (the default)").args(keys()))
        .subcommand(Command::new("check-config").about("Check the configuration").args(keys()))
        .subcommand(instrument_command())
        .subcommand(bellwether::engine::calibrate::command())
        .subcommand(bellwether::engine::score::command())
        .subcommand(bellwether::engine::fairness::command())
        .subcommand(bellwether::engine::quality::command())
        .subcommand(bellwether::engine::agreement::command())
        .subcommand(Command::new("init").about("Copy the starter site out for editing").arg(dir))
}

fn instrument_command() -> Command {
    let file = Arg::new("file").required(true).value_name("FILE").help("An instrument's TOML file");
    let check = Command::new("check").about("List every fault of an instrument at once").arg(file);
    Command::new("instrument")
        .about("Work on a questionnaire")
        .subcommand_required(true)
        .subcommand(check)
}

/// Prints every fault with its place and remedy, or what the instrument holds.
fn check_instrument(given: &ArgMatches) -> Result<(), Vec<String>> {
    let given = given.subcommand().map_or(given, |(_, given)| given);
    let file = given.get_one::<String>("file").map_or("", String::as_str);
    let text = std::fs::read_to_string(file).map_err(|e| {
        vec![format!("{file} cannot be read ({e}). Name an instrument's TOML file.")]
    })?;
    let report = instrument::report_check(&text, file);
    say(report.to_string().trim_end());
    if report.is_sound() { Ok(()) } else { Err(Vec::new()) }
}

fn read(given: &ArgMatches) -> Result<Config, Vec<String>> {
    let flags: BTreeMap<String, String> = KEYS
        .iter()
        .filter_map(|key| Some((key.name.to_owned(), given.get_one::<String>(key.name)?.clone())))
        .collect();
    Config::read(&flags, &|name| std::env::var(name).ok(), &|path| std::fs::read_to_string(path))
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn run(config: &Config) -> Result<(), Vec<String>> {
    start_log(config.log_format);
    let runtime = tokio::runtime::Runtime::new().map_err(|e| vec![e.to_string()])?;
    runtime.block_on(bellwether::serve::serve(config))
}

fn init(given: &ArgMatches) -> Result<(), Vec<String>> {
    let dir = PathBuf::from(given.get_one::<String>("dir").map_or("", String::as_str));
    let n_files = Source::copy_starter_to(&dir)
        .map_err(|e| vec![format!("{} cannot be used: {e}", dir.display())])?;
    say(&format!(
        "{n_files} files are in {dir}. Edit site.toml first, then: bellwether serve --site {dir}",
        dir = dir.display()
    ));
    Ok(())
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn start_log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
