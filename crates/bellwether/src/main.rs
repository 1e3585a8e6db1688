//! The command line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::clock::Clock;
use base::config::{Config, KEYS, LogFormat};
use base::db::Db;
use base::mail::Transport;
use base::site::Source;
use bellwether::lists::{LISTS, List};
use bellwether::table::Table;
use bellwether::trouble::{Trouble, all};
use bellwether::{backup, check_site};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// It failed on its way, and may succeed when tried again.
const EXIT_FAILED: u8 = 1;
/// It was refused: something has to be written differently first.
const EXIT_REFUSED: u8 = 2;

/// What holds for every command.
const AFTER_HELP: &str = "\
Each key can stand in bellwether.toml too; a flag wins over the environment, that over the file.
What goes wrong is told on standard error: what, where, what to do.

Exit code: 0 done; 1 failed on its way (disk, database, port), try again; 2 refused, write something else.";

type Outcome = Result<(), Vec<Trouble>>;

fn main() -> ExitCode {
    match run_command(&command().get_matches()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(troubles) => {
            let mut err = std::io::stderr().lock();
            for trouble in &troubles {
                let _ = writeln!(err, "bellwether: {trouble}");
            }
            let may_pass = !troubles.is_empty() && troubles.iter().all(|trouble| trouble.may_pass);
            ExitCode::from(if may_pass { EXIT_FAILED } else { EXIT_REFUSED })
        }
    }
}

fn run_command(top: &ArgMatches) -> Outcome {
    use bellwether::engine;
    let Some((name, given)) = top.subcommand() else { return serve(&read(top, top)?) };
    match name {
        "init" => init(given),
        "instrument" => check_instrument(given),
        "calibrate" => engine::calibrate::run(given).map_err(lines),
        "score" => engine::score::run(given).map_err(lines),
        "fairness" => engine::fairness::run(given).map_err(lines),
        "quality" => engine::quality::run(given).map_err(lines),
        "agreement" => engine::agreement::run(given).map_err(lines),
        "simulate" => engine::simulate::run(given).map_err(lines),
        "check-config" => check_config(&read(top, given)?),
        "list" => list(top, given),
        "messages" => retry(top, given),
        "backup" => back_up(&read(top, given)?, given),
        "restore" => restore(&read(top, given)?, given),
        _ => serve(&read(top, given)?),
    }
}

/// The keys of the configuration, for every command that reads it.
fn keys() -> impl Iterator<Item = Arg> {
    KEYS.iter().map(|key| {
        let help = format!("{} [{}] [default: {}]", key.help, key.env, key.default);
        let arg = Arg::new(key.name).long(key.name).value_name(key.value).help(help);
        arg.help_heading("Configuration")
    })
}

fn command() -> Command {
    Command::new("bellwether")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The system behind a leadership-training provider's page")
        .after_help(AFTER_HELP)
        .args(keys())
        .subcommand(Command::new("serve").about("Serve the site (the default)").args(keys()))
        .subcommand(
            Command::new("check-config")
                .about("Check the configuration and the site's files")
                .args(keys()),
        )
        .subcommand(list_command())
        .subcommand(messages_command())
        .subcommand(
            Command::new("backup")
                .about("Copy records and key into one file, while the server runs")
                .arg(file_arg("A new file; it holds the key, so keep it as private as that"))
                .args(keys()),
        )
        .subcommand(
            Command::new("restore")
                .about("Put a backup back, while the server is stopped")
                .arg(file_arg("A file that `bellwether backup` made"))
                .arg(flag("replace", "Keep the records that are there aside and take these"))
                .args(keys()),
        )
        .subcommand(
            Command::new("init").about("Copy the starter site out for editing").arg(required(
                "dir",
                "DIR",
                "An empty or new folder",
            )),
        )
        .subcommand(instrument_command())
        .subcommand(bellwether::engine::calibrate::command())
        .subcommand(bellwether::engine::score::command())
        .subcommand(bellwether::engine::fairness::command())
        .subcommand(bellwether::engine::quality::command())
        .subcommand(bellwether::engine::agreement::command())
        .subcommand(bellwether::engine::simulate::command())
}

fn required(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).required(true).value_name(value).help(help)
}

fn file_arg(help: &'static str) -> Arg {
    required("file", "FILE", help)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn list_command() -> Command {
    let kinds = LISTS.iter().map(|list| {
        let states = PossibleValuesParser::new(list.states);
        let state = Arg::new("state").long("state").value_name("STATE").value_parser(states);
        Command::new(list.name)
            .about(list.about)
            .arg(state.help("Only those in this state"))
            .arg(flag("csv", "RFC 4180 instead of a table for people"))
            .args(keys())
    });
    Command::new("list").about("List records").subcommand_required(true).subcommands(kinds)
}

fn messages_command() -> Command {
    let retry = Command::new("retry")
        .about("Queue a mail that failed or was cancelled once more")
        .arg(required("id", "ID", "Its id, as `bellwether list messages` shows it"))
        .args(keys());
    Command::new("messages").about("Work on mails").subcommand_required(true).subcommand(retry)
}

fn instrument_command() -> Command {
    let check = Command::new("check")
        .about("List every fault of an instrument at once")
        .arg(file_arg("An instrument's TOML file"));
    Command::new("instrument")
        .about("Work on a questionnaire")
        .subcommand_required(true)
        .subcommand(check)
}

/// Prints every fault with its place and remedy, or what the instrument holds.
fn check_instrument(given: &ArgMatches) -> Outcome {
    let given = given.subcommand().map_or(given, |(_, given)| given);
    let file = word(given, "file");
    let text = std::fs::read_to_string(file).map_err(|e| {
        vec![Trouble::new(
            file,
            format_args!("it cannot be read ({e})"),
            "Name an instrument's TOML file.",
        )]
    })?;
    let report = instrument::report_check(&text, file);
    say(report.to_string().trim_end());
    if report.is_sound() { Ok(()) } else { Err(Vec::new()) }
}

/// Reads the configuration; a flag counts before the command's name as well as after it.
fn read(top: &ArgMatches, given: &ArgMatches) -> Result<Config, Vec<Trouble>> {
    let value = |name| given.get_one::<String>(name).or_else(|| top.get_one(name)).cloned();
    let flags: BTreeMap<String, String> =
        KEYS.iter().filter_map(|key| Some((key.name.to_owned(), value(key.name)?))).collect();
    Config::read(&flags, &|name| std::env::var(name).ok(), &|path| std::fs::read_to_string(path))
        .map_err(|faults| faults.iter().map(|fault| Trouble::from(fault.to_string())).collect())
}

fn check_config(config: &Config) -> Outcome {
    let site = check_site(config).err().unwrap_or_default();
    let mail = run(async { Transport::new(config.smtp.as_ref()).err() })?;
    let faults: Vec<String> = site.into_iter().chain(mail).collect();
    if !faults.is_empty() {
        return Err(all(faults));
    }
    say("the configuration and the site's files are valid");
    Ok(())
}

fn serve(config: &Config) -> Outcome {
    start_log(config.log_format);
    run(bellwether::serve::serve(config))?
}

fn list(top: &ArgMatches, given: &ArgMatches) -> Outcome {
    let Some((name, given)) = given.subcommand() else { return Ok(()) };
    let Some(list) = LISTS.iter().find(|list| list.name == name) else { return Ok(()) };
    let config = read(top, given)?;
    let state = given.get_one::<String>("state").map_or("", String::as_str);
    let table = run(read_list(&config, *list, state))?.map_err(one)?;
    if given.get_flag("csv") {
        let csv = table.csv().map_err(|e| one(Trouble::from(e.to_string())))?;
        print(&csv);
        return Ok(());
    }
    let width = terminal_size::terminal_size().filter(|_| std::io::stdout().is_terminal());
    match width {
        Some((width, _)) => show(&table, list.name, usize::from(width.0)),
        None => print(&table.whole()),
    }
    Ok(())
}

/// The table as it fits, and under it what was left out; not on standard output, where a script would take it for a record.
fn show(table: &Table, kind: &str, width: usize) {
    let aligned = table.fitted(width);
    print(&aligned.text);
    let n_rows = table.rows.len();
    let kind = match kind {
        "enquiries" if n_rows == 1 => "enquiry",
        _ if n_rows == 1 => kind.trim_end_matches('s'),
        _ => kind,
    };
    let mut said = format!("{n_rows} {kind}");
    if !aligned.left_out.is_empty() {
        let _ = write!(said, "; with --csv also {}", aligned.left_out.join(", "));
    }
    let _ = writeln!(std::io::stderr().lock(), "{said}");
}

async fn read_list(config: &Config, list: List, state: &str) -> Result<Table, Trouble> {
    let db = Db::open_existing(&config.database).await?;
    let table = list.read(&mut db.reader().await?, state).await?;
    db.close().await;
    Ok(table)
}

fn retry(top: &ArgMatches, given: &ArgMatches) -> Outcome {
    let Some((_, given)) = given.subcommand() else { return Ok(()) };
    let (config, id) = (read(top, given)?, word(given, "id"));
    let is_queued = run(queue_again(&config, id))?.map_err(one)?;
    if !is_queued {
        let remedy = "Find its id and state with `bellwether list messages`.";
        return Err(one(Trouble::new(id, "there is no such mail, or it has been sent", remedy)));
    }
    say(&format!("{id} is queued again; a running server sends it within half a minute"));
    Ok(())
}

async fn queue_again(config: &Config, id: &str) -> Result<bool, Trouble> {
    let db = Db::open_existing(&config.database).await?;
    let mut tx = db.begin().await?;
    let is_queued = base::mail::retry(&mut tx, id, Clock::System.now_ms()).await?;
    tx.commit().await?;
    db.close().await;
    Ok(is_queued)
}

fn back_up(config: &Config, given: &ArgMatches) -> Outcome {
    let file = word(given, "file");
    let now_ms = Clock::System.now_ms();
    say(&run(backup::backup(config, Path::new(file), now_ms))?.map_err(one)?);
    Ok(())
}

fn restore(config: &Config, given: &ArgMatches) -> Outcome {
    let file = word(given, "file");
    let replace = given.get_flag("replace");
    say(&run(backup::restore(config, Path::new(file), replace))?.map_err(one)?);
    Ok(())
}

fn init(given: &ArgMatches) -> Outcome {
    let dir = PathBuf::from(word(given, "dir"));
    let n_files = Source::copy_starter_to(&dir).map_err(|e| {
        one(Trouble::new(dir.display(), format_args!("it cannot be used ({e})"), "Name another."))
    })?;
    say(&format!(
        "{n_files} files are in {dir}. Edit site.toml first, then: bellwether serve --site {dir}",
        dir = dir.display()
    ));
    Ok(())
}

fn word<'a>(given: &'a ArgMatches, name: &str) -> &'a str {
    given.get_one::<String>(name).map_or("", String::as_str)
}

fn run<T>(future: impl Future<Output = T>) -> Result<T, Vec<Trouble>> {
    let runtime = tokio::runtime::Runtime::new();
    runtime.map(|runtime| runtime.block_on(future)).map_err(|e| {
        one(Trouble::new("threads", e, "Raise the limit on processes of this user.").passing())
    })
}

/// Faults of a file of answers, of which there may be many: a line each, with its place.
fn lines(faults: Vec<String>) -> Vec<Trouble> {
    faults.into_iter().map(|fault| Trouble::new("", fault, "")).collect()
}

fn one(trouble: Trouble) -> Vec<Trouble> {
    vec![trouble]
}

fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn start_log(format: LogFormat) {
    // `RUST_LOG=info,sqlx=debug`: a level for everything, and one for a part.
    let wanted = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let levels = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    // A file or a log collector is no terminal: colours would stand there as signs.
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let subscriber = tracing_subscriber::registry().with(levels);
    match format {
        LogFormat::Text => subscriber.with(log).init(),
        LogFormat::Json => subscriber.with(log.json()).init(),
    }
}
