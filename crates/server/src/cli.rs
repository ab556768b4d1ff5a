//! The command line: words, help, and how they become layers of configuration.

mod consent;
mod membership;
mod provider;
mod registration;
mod token;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{Args, Parser, Subcommand};

pub use self::consent::{AppArgs, ConsentCommand};
pub use self::membership::{GroupCommand, RoleArgs, RoleCommand};
pub use self::provider::{ProviderArgs, ProviderCommand};
pub use self::registration::{
    RegisteredArgs, RegistrationArgs, RegistrationClientCommand, RegistrationCommand,
    RegistrationTokenCommand,
};
pub use self::token::{TokenArgs, TokenCommand};
use crate::config::{Config, DEFAULT_FILE, Layers, Problems};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
\u{1b}[1;32mFirst steps:\u{1b}[0m
  vestibule demo                      Try everything on this machine, nothing to set up
  vestibule config explain            What can be set, and how
  vestibule serve                     Run your own, with vestibule.toml
  vestibule apply tenant.yaml         Make a tenant what the file says

Exit codes: 0 done, 1 it did not work out, 2 the command line or the configuration is wrong.";

/// Lets the people outside your organisation in: they sign up and sign in, your apps get tokens.
#[derive(Parser, Debug)]
#[command(name = "vestibule", bin_name = "vestibule", version, styles = STYLES, after_help = EXAMPLES, max_term_width = 100)]
#[command(propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the server
    ///
    /// Migrates the database, then listens until SIGTERM or SIGINT; requests under way are finished first.
    Serve(Settings),
    /// Try Vestibule: server, example tenants, an app and an inbox in one process
    ///
    /// Seeds the data directory at the first start and keeps what is there at every later one. When it is
    /// ready, demo.json in the data directory names every address, app, secret and user for scripts.
    Demo(DemoArgs),
    /// Bring the database's schema up to date, and say what that took
    Migrate(Settings),
    /// Make tenants what YAML files say, in one transaction
    ///
    /// Says what changed; a second time nothing does. A running server shows the change within a second.
    /// Before anything is removed that people use, it says whom that hits and asks; without a terminal it
    /// refuses, unless --yes is given.
    /// When anything is wrong, every problem is reported with file, line and key, and nothing is changed.
    Apply(ApplyArgs),
    /// Print the JSON Schema of tenant files, for editors
    Schema,
    /// Draft, publish, compare and roll back user flows; test and draw them
    #[command(subcommand)]
    Flow(FlowCommand),
    /// Take out what people accepted, and withdraw it for them
    #[command(subcommand)]
    Terms(TermsCommand),
    /// Show the ways into an account, take one away, and sign it out everywhere
    #[command(subcommand)]
    User(UserCommand),
    /// See who is in the groups of a tenant, and change it
    #[command(subcommand)]
    Group(GroupCommand),
    /// See whom an app is assigned to, in which roles, and change it
    #[command(subcommand)]
    Role(RoleCommand),
    /// Grant apps what they may do in people's names, list it, and take it back
    #[command(subcommand)]
    Consent(ConsentCommand),
    /// See how identity providers fare, and find out why one does not
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// See and rotate the keys that sign tokens
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Find out what a token says, and why it is refused
    #[command(subcommand)]
    Token(TokenCommand),
    /// Let applications register themselves, and see which did
    #[command(subcommand)]
    ClientRegistration(RegistrationCommand),
    /// Show how far people come in sign-ups, how long it takes them and what stands in their way
    ///
    /// Counts journeys that are over: stage by stage, how many came that far, how many stopped there and how
    /// long it took. With --correlation-id it shows the way of one journey instead, also while it goes on.
    Funnel(FunnelArgs),
    /// Check, explain or describe the server's own configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// `vestibule flow …`.
#[derive(Subcommand, Debug)]
pub enum FlowCommand {
    /// List the flows of every tenant, with their drafts
    List(Settings),
    /// Show who published what, newest first
    History {
        #[command(flatten)]
        flow: FlowArgs,
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Show what lies between two forms of a flow
    ///
    /// Left out, --to is the draft, or the newest revision when there is no draft; --from is the newest
    /// revision, or the one before --to.
    Diff {
        #[command(flatten)]
        flow: FlowArgs,
        /// A revision
        #[arg(long, value_name = "N")]
        from: Option<i64>,
        /// A revision, or “draft”
        #[arg(long, value_name = "N|draft")]
        to: Option<String>,
        /// Print JSON instead of lines
        #[arg(long)]
        json: bool,
    },
    /// Keep what the flows of tenant files are to become, without touching what visitors get
    ///
    /// Runs every check; when anything is wrong, every problem is reported with file, line and key.
    Draft(ApplyFiles),
    /// Give visitors the draft of a flow
    ///
    /// Refused when somebody changed the flow since the draft was made. Whoever is in the middle of a journey
    /// ends it under the version it began with.
    Publish(StepArgs),
    /// Forget the draft of a flow
    Discard(FlowArgs),
    /// Publish an earlier form of a flow once more, as a new revision
    Rollback {
        #[command(flatten)]
        step: StepArgs,
        /// The revision to go back to
        #[arg(long, value_name = "N")]
        to: i64,
    },
    /// Run scripted visitors through the flows of a tenant file, in memory
    ///
    /// No server, database or secret is needed, and nothing is sent. Exit codes: 0 every test passed, 1 a
    /// test failed, 2 a file is wrong.
    Test(FlowTestArgs),
    /// Draw a flow: its pages, what they ask and the ways between them
    Show(FlowShowArgs),
    /// Walk through a flow in a browser with invented answers; nothing is stored or sent
    ///
    /// Serves the real pages of one flow on this machine, out of a tenant file or of a draft. No mail is sent
    /// and no provider is asked: the page says which code to type, and a provider answers at once. Ends at
    /// Ctrl-C.
    Preview(FlowPreviewArgs),
    /// Print the JSON Schema of files of tests, for editors
    Schema,
}

/// `vestibule terms …`.
#[derive(Subcommand, Debug)]
pub enum TermsCommand {
    /// Print every acceptance of a tenant, oldest first: who, what, which version, when and from where
    ///
    /// The digest is the SHA-256 of title and text (or address) with an empty line between them; the version
    /// of the flow holds the words themselves.
    Export {
        /// The tenant: short name, domain or id
        tenant: String,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = Listing::Csv)]
        format: Listing,
        #[command(flatten)]
        settings: Settings,
    },
    /// Withdraw what somebody accepted: they are asked again when they sign in next
    ///
    /// The evidence stays, with the time of the withdrawal.
    Withdraw {
        #[command(flatten)]
        flow: FlowArgs,
        /// The person: user id, user principal name or mail address
        #[arg(long, value_name = "USER")]
        user: String,
        /// The document's id in the flow
        #[arg(long, value_name = "ID")]
        document: String,
    },
}

/// `vestibule keys …`.
#[derive(Subcommand, Debug)]
pub enum KeysCommand {
    /// List the keys of a tenant: which signs, which comes next, which are still published
    List {
        /// The tenant: short name, domain or id
        tenant: String,
        /// Print JSON instead of lines
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Sign with the next key from now on, and make the one after it
    ///
    /// Older keys stay published for 30 days, so that what they signed is still good. Servers that run take the new key
    /// within a second. Keys rotate by themselves every 90 days; this is for whoever wants it sooner.
    Rotate {
        /// The tenant: short name, domain or id
        tenant: String,
        /// The key got into other hands: take older keys away at once. Everybody who holds a token signs in again
        #[arg(long)]
        compromised: bool,
        #[command(flatten)]
        settings: Settings,
    },
}

/// `vestibule user …`.
#[derive(Subcommand, Debug)]
pub enum UserCommand {
    /// Show an account with its identities and what leads into it today
    Show {
        #[command(flatten)]
        user: UserArgs,
        /// Print JSON instead of lines
        #[arg(long)]
        json: bool,
    },
    /// Take a provider's identities from an account, and end the sessions that came of them
    ///
    /// Refuses when nothing would lead into the account any more.
    Unlink {
        #[command(flatten)]
        user: UserArgs,
        /// The provider's id; or the issuer of an identity whose provider is gone
        provider: String,
    },
    /// Sign an account out of every browser, device and app
    ///
    /// Sessions, codes and refresh tokens end at once, on every node; apps with a back channel are told.
    SignOut {
        #[command(flatten)]
        user: UserArgs,
    },
}

/// A user, named by people.
#[derive(Args, Debug)]
pub struct UserArgs {
    /// The tenant: short name, domain or id
    pub tenant: String,
    /// The person: user id, user principal name or mail address
    pub user: String,
    #[command(flatten)]
    pub settings: Settings,
}

/// Ways to print a list.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listing {
    /// Comma-separated values with a line of headings; nothing in it runs as a formula
    Csv,
    /// One JSON object on each line
    Json,
}

/// A flow, named by people.
#[derive(Args, Debug)]
pub struct FlowArgs {
    /// The tenant: short name, domain or id
    pub tenant: String,
    /// The flow: display name or id
    pub flow: String,
    #[command(flatten)]
    pub settings: Settings,
}

/// A flow that is to change.
#[derive(Args, Debug)]
pub struct StepArgs {
    #[command(flatten)]
    pub flow: FlowArgs,
    /// A word about it for the history
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Do not ask, even if somebody loses their way in
    #[arg(long)]
    pub yes: bool,
}

/// `vestibule flow test`.
#[derive(Args, Debug)]
pub struct FlowTestArgs {
    /// YAML files, each with the tests of one tenant file
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write a JUnit report for the CI as well
    #[arg(long, value_name = "PATH")]
    pub junit: Option<PathBuf>,
    /// Run only tests whose name contains this, in any letter case
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
}

/// `vestibule flow show`.
#[derive(Args, Debug)]
pub struct FlowShowArgs {
    /// A tenant file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The flow, by id, name or display name, when the file has several
    #[arg(long, value_name = "FLOW")]
    pub flow: Option<String>,
    /// The kind of drawing
    #[arg(long, value_enum, default_value_t = Drawing::Mermaid)]
    pub format: Drawing,
    /// What to write for a word in braces that the file leaves open, such as `app=http://localhost:3000`
    #[arg(long, value_name = "WORD=TEXT", value_parser = key_and_value)]
    pub placeholder: Vec<(String, String)>,
}

/// `vestibule flow preview`.
#[derive(Args, Debug)]
pub struct FlowPreviewArgs {
    /// A tenant file
    #[arg(value_name = "FILE", required_unless_present = "draft", conflicts_with = "draft")]
    pub file: Option<PathBuf>,
    /// The flow, by id, name or display name, when the file has several
    #[arg(long, value_name = "FLOW", conflicts_with = "draft")]
    pub flow: Option<String>,
    /// What to write for a word in braces that the file leaves open, such as `app=http://localhost:3000`
    #[arg(long, value_name = "WORD=TEXT", value_parser = key_and_value, conflicts_with = "draft")]
    pub placeholder: Vec<(String, String)>,
    /// Show the draft of this flow, by display name or id, instead of a file; the database is only read
    #[arg(long, value_name = "FLOW")]
    pub draft: Option<String>,
    /// The tenant of the draft: short name, domain or id; needed when several have such a draft
    #[arg(long, value_name = "TENANT", requires = "draft", conflicts_with = "file")]
    pub tenant: Option<String>,
    /// Where to listen, on this machine only; a free port when left out
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub settings: Settings,
}

/// Kinds of drawings.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drawing {
    /// Text that GitHub, GitLab and many editors show as a diagram
    Mermaid,
    /// A picture that every browser shows, light or dark
    Svg,
}

/// `vestibule funnel`.
#[derive(Args, Debug)]
pub struct FunnelArgs {
    /// Only this tenant: short name, domain or id
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// Only this flow: display name or id
    #[arg(long, value_name = "FLOW")]
    pub flow: Option<String>,
    /// Journeys that began since then: a length of time such as `24h` or `7d`, a date or an instant (UTC)
    #[arg(long, value_name = "7d|DATE", default_value = "7d")]
    pub since: String,
    /// By what journeys are counted apart
    #[arg(long, value_enum, default_value_t = FunnelBy::Step)]
    pub by: FunnelBy,
    /// What people set out for
    #[arg(long, value_enum, default_value_t = FunnelIntent::SignUp)]
    pub intent: FunnelIntent,
    /// The way of one journey: the correlation id of one of its requests, or the reference on an error page
    #[arg(long, value_name = "ID", conflicts_with_all = ["flow", "since", "by", "intent"])]
    pub correlation_id: Option<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: Settings,
}

/// By what journeys are counted apart.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunnelBy {
    /// All together, stage by stage
    Step,
    /// Password, code, or the provider
    Method,
    /// The app that people came from
    App,
    /// The language of the pages
    Language,
}

/// What people set out for.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunnelIntent {
    /// Whoever set out to sign up at any moment
    SignUp,
    /// Whoever only wanted to sign in
    SignIn,
    /// Whoever wanted a new password
    Reset,
}

/// `vestibule config …`.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Report everything that is wrong with the configuration
    Check(Settings),
    /// Say what settings mean, how their variables are called and what they are set to
    Explain {
        /// A key or section, such as `smtp` or `listeners.http.origin`; everything when left out
        key: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Print the JSON Schema of the configuration file, for editors
    Schema,
}

/// Where settings come from. Each overrides the one before: defaults, the file, VESTIBULE_… variables, flags.
#[derive(Args, Debug, Default, Clone)]
pub struct Settings {
    /// The configuration file [default: vestibule.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "VESTIBULE_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// The directory that everything is kept in
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// A PostgreSQL server instead of the embedded database
    #[arg(long, value_name = "URL", hide_default_value = true)]
    pub database_url: Option<String>,
    /// Any other setting, such as `log.level=debug`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
    /// Permit settings that are unsafe outside of development
    #[arg(long)]
    pub insecure_dev: bool,
}

/// `vestibule apply`.
#[derive(Args, Debug)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub files: ApplyFiles,
    /// Do not ask, even if somebody loses their way in
    #[arg(long)]
    pub yes: bool,
}

/// Files of tenants.
#[derive(Args, Debug)]
pub struct ApplyFiles {
    /// YAML files, each with one or more tenants
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub settings: Settings,
}

/// `vestibule demo`.
#[derive(Args, Debug, Clone)]
pub struct DemoArgs {
    /// The directory that the demo keeps everything in
    #[arg(long, value_name = "DIR", default_value = "data/demo")]
    pub data: PathBuf,
    /// Port of the server without TLS; 0 takes a free one and keeps it
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// Port of the server with TLS; 0 takes a free one and keeps it
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    pub tls_port: u16,
    /// Port of the Woodgrove web app; 0 takes a free one and keeps it
    #[arg(long, value_name = "PORT", default_value_t = 3000)]
    pub app_port: u16,
    /// A PostgreSQL server instead of the embedded database
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// A preview has no limits and no sign-in: nobody else may reach it.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "write it as 127.0.0.1:8090 or [::1]:8090")?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("a preview is for this machine only".to_owned())
    }
}

impl Settings {
    /// Every layer, in order.
    pub fn layers(&self) -> Layers {
        let mut layers = Layers::default();
        let default = PathBuf::from(DEFAULT_FILE);
        match &self.config {
            Some(file) => layers.file(file),
            None if default.is_file() => layers.file(&default),
            None => {}
        }
        layers.environment(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        }));
        if let Some(data) = &self.data {
            layers.flag("data", data);
        }
        if let Some(url) = &self.database_url {
            layers.flag("database.url", url);
        }
        if self.insecure_dev {
            layers.flag("insecure_dev", "true");
        }
        for (key, value) in &self.set {
            layers.flag(key, value);
        }
        layers
    }

    /// The checked configuration.
    pub fn read(&self) -> Result<Config, Problems> {
        Config::read(&self.layers())
    }
}
