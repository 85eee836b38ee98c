//! `--format` with a Go template, as Docker and Podman read it: the crate `gotmpl` parses and executes, this room adds their
//! functions ([`functions`]), the difference between fields and keys of maps ([`maps`]), the methods of moments ([`times`]), and headings.
//!
//! A field that a thing does not have is an error; a key that a map does not have is `<no value>`.

mod functions;
mod limits;
mod maps;
mod times;
mod value;

use gotmpl::parse::{DefineNode, ListNode, Node, Parser};
use gotmpl::{MissingKey, TemplateError, Value};
use serde::Serialize;

use self::limits::{Output, Taken};
use super::{format, table, to_terminal};
use crate::cli::Report;

/// The longest template, in bytes.
const LONGEST: usize = 64 << 10;
/// The most turns of all its loops.
const MOST_TURNS: u64 = 1_000_000;
/// What no argument of a command can hold.
const END: char = '\0';
/// The name of the tree that is executed.
const MAIN: &str = "main";

/// A template that was understood.
pub struct Template {
    command: &'static str,
    template: gotmpl::Template,
    taken: Taken,
    /// Its output is columns.
    table: bool,
    /// It loops over the list by itself.
    loops: bool,
    /// It is `{{json .}}`, which shows things with their keys in order.
    json: bool,
    /// Moments are shown as Go does.
    times: bool,
}

impl Template {
    /// `command` is named in errors. `\t` and `\n` may be written out; after a leading `table`, a space parts columns, too.
    pub fn parse(command: &'static str, text: &str) -> Result<Self, Report> {
        if text.len() > LONGEST {
            return Err(Report::new(format!("template: {command}: longer than {LONGEST} bytes")));
        }
        let (table, text) = match text.strip_prefix("table ") {
            Some(rest) => (true, rest.replace(' ', "\t")),
            None => (false, text.to_owned()),
        };
        let text = text.replace("\\t", "\t").replace("\\n", "\n");
        let compact: String = text.split_whitespace().collect();
        let failed = |error| explain(command, error);
        let (mut tree, defines) = tree(&text).map_err(failed)?;
        let taken = Taken::default();
        let mut template = functions::add(gotmpl::Template::new(command), &taken, to_terminal())
            .missing_key(MissingKey::Error)
            .max_range_iters(MOST_TURNS);
        template = template.parse(&format!("{{{{template \"{MAIN}\" .}}}}")).map_err(failed)?;
        maps::rewrite(&mut tree);
        for mut define in defines {
            maps::rewrite(&mut define.body);
            template = template.add_parse_tree(&define.name, define.body);
        }
        Ok(Self {
            command,
            template: template.add_parse_tree(MAIN, tree),
            taken,
            table,
            loops: compact.starts_with("{{range.}}") || compact.starts_with("{{range.-}}"),
            json: compact == "{{json.}}",
            times: true,
        })
    }

    /// Whether it is `{{json .}}`, which shows the whole thing and not a row of a list.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// For values whose moments are texts already, and stay as they are.
    pub fn of_texts(self) -> Self {
        Self { times: false, ..self }
    }

    /// One line for each value.
    pub fn each<T: Serialize>(&self, values: &[T]) -> Result<String, Report> {
        self.lines(values, Vec::new())
    }

    /// A list: one line for each row, in a table under headings. A heading is the field's name in capitals, its words apart, but
    /// for those that `headings` names.
    pub fn list<T: Serialize + Default>(
        &self,
        rows: &[T],
        headings: &[(&str, &str)],
        no_heading: bool,
    ) -> Result<String, Report> {
        let mut above = Vec::new();
        if self.table && !no_heading && !self.loops {
            let fields = value::headings(&T::default(), headings).map_err(Report::new)?;
            // Of what a template does beyond showing fields, a heading knows nothing.
            above.extend(self.execute(&fields).ok());
        }
        self.lines(rows, above)
    }

    fn lines<T: Serialize>(&self, values: &[T], mut lines: Vec<String>) -> Result<String, Report> {
        if self.loops {
            let all = values
                .iter()
                .map(|value| value::of(value, self.times))
                .collect::<Result<Vec<_>, _>>()
                .map_err(Report::new)?;
            return self.execute(&Value::List(all.into()));
        }
        for one in values {
            lines.push(match self.json {
                true => format::line(one)?,
                false => self.execute(&value::of(one, self.times).map_err(Report::new)?)?,
            });
        }
        if self.table {
            let rows: Vec<Vec<String>> =
                lines.iter().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
            return Ok(table::table(&rows));
        }
        Ok(lines.iter().map(|line| format!("{line}\n")).collect())
    }

    fn execute(&self, value: &Value) -> Result<String, Report> {
        self.taken.reset();
        let mut output = Output::default();
        let executed = self.template.execute_fmt(&mut output, value);
        output.of(executed).map_err(|error| explain(self.command, error))
    }
}

/// The crate's parser ends at an `{{end}}` that closes nothing, and takes what it has for all: so the end is marked.
fn tree(text: &str) -> Result<(ListNode, Vec<DefineNode>), TemplateError> {
    let marked = format!("{text}{END}");
    let (mut tree, defines) = Parser::new(&marked, "{{", "}}")?.parse()?;
    match tree.nodes.last_mut() {
        Some(Node::Text(last)) if last.text.ends_with(END) => last.text = last.text.trim_end_matches(END).into(),
        _ => return Err(TemplateError::Exec("unexpected {{end}} or {{else}}".into())),
    }
    Ok((tree, defines))
}

/// In Podman's words.
fn explain(command: &str, error: TemplateError) -> Report {
    let place = |line: usize, column: usize, message: &str| format!("template: {command}:{line}:{column}: {message}");
    Report::new(match &error {
        TemplateError::Parse { line, col, message, .. } | TemplateError::Lex { line, col, message, .. } => {
            // The mark of the end, where an action goes on.
            let unclosed = message.contains(&format!("{END:?}"));
            place(*line, *col, if unclosed { "unclosed action" } else { message })
        }
        TemplateError::UndefinedFunction(name) => format!("template: {command}: function \"{name}\" not defined"),
        TemplateError::MissingKey { key } => {
            format!("template: {command}: executing \"{command}\" at <.{key}>: can't evaluate field {key}")
        }
        other => format!("template: {command}: executing \"{command}\": {other}"),
    })
    .hint("`--format` takes `json` or a Go template such as '{{.ID}}'; '{{json .}}' shows all fields")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Template;

    const HISTORY: &str =
        "abc make 2026-01-31 12:00:00 +0000 UTC;[{\"created\":\"2026-01-31T12:00:00Z\",\"created_by\":\"make\"}]";

    fn run(text: &str) -> Result<String, String> {
        let values = [json!({
            "ID": "abc", "Names": ["a", "b"], "State": {"Running": true, "Pid": 7, "Health": null}, "Size": 1.5,
            "Labels": {"k": "v", "com.x/y": "z", "Id": "i"}, "Cmd": null, "Id": "abc",
            "History": [{"created_by": "make", "created": "2026-01-31T12:00:00Z"}], "Created": "2026-01-31T12:00:00.25Z", "Mounts": [{"Source": "/a"}, {"Source": "/b"}],
        })];
        let words = |report: crate::cli::Report| report.messages.join("\n");
        Template::parse("ps", text).map_err(words)?.each(&values).map_err(words)
    }

    #[test]
    fn templates_speak_go() {
        for (text, expected) in [
            ("{{.ID}}", "abc"),
            ("{{ .ID }}-{{.State.Running}}", "abc-true"),
            ("{{join .Names \",\"}}\\t{{upper .ID}}", "a,b\tABC"),
            ("{{json .Names}} {{json .State}}", "[\"a\",\"b\"] {\"Health\":null,\"Pid\":7,\"Running\":true}"),
            ("{{.Names}} {{.Labels}}", "[a b] map[Id:i com.x/y:z k:v]"),
            ("{{range $i, $n := .Names}}{{if $i}}, {{end}}{{$n}}{{end}}", "a, b"),
            ("{{range .Mounts}}{{.Source}};{{else}}none{{end}}", "/a;/b;"),
            ("{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}", "Id=i com.x/y=z k=v "),
            ("{{with .State}}{{.Pid}}{{end}}", "7"),
            ("{{if and .ID (eq .State.Pid 7) (not .State.Health)}}yes{{else}}no{{end}}", "yes"),
            ("{{if or (lt .State.Pid 7) (ne .ID \"abc\")}}a{{else if ge .State.Pid 7}}b{{end}}", "b"),
            ("{{.ID | printf \"%-5s|\" | upper}}", "ABC  |"),
            ("{{printf \"%q %d %v\" .ID .State.Pid .State.Running}}", "\"abc\" 7 true"),
            ("{{len .Names}} {{index .Names 1}} {{slice .ID 1 2}} {{index .Labels \"com.x/y\"}}", "2 b b z"),
            ("{{$x := .ID}}{{$x}}{{/* nothing */}}{{- \" \" -}} !", "abc !"),
            ("{{title \"some words\"}} {{lower \"ABC\"}} {{split \"a/b\" \"/\"}}", "Some Words abc [a b]"),
            ("[{{pad .ID 2 3}}][{{pad \"\" 2 3}}] {{truncate .ID 2}}", "[  abc   ][] ab"),
            ("{{println .ID}}x", "abc\nx"),
            ("{{.Created}} {{json .Created}}", "2026-01-31 12:00:00.25 +0000 UTC \"2026-01-31T12:00:00.25Z\""),
            (
                "{{.Created.Format \"02.01.06 15:04\"}} {{.Created.Unix}} {{.Created.UTC.Year | printf \"%d\"}}",
                "31.01.26 12:00 1769860800 2026",
            ),
            ("{{if .Created.IsZero}}never{{else}}{{printf \"%d\" .Created.UnixMilli}}{{end}}", "1769860800250"),
            ("{{define \"T\"}}<{{.}}>{{end}}{{template \"T\" .ID}}", "<abc>"),
            ("{{.Size}}", "1.5"),
            (
                "{{.State.Health}} {{.State.Healthcheck}} {{json .State.Health}} {{.Labels.none}}",
                "<nil> <nil> null <no value>",
            ),
            ("{{.Cmd}} {{len .Cmd}} {{range .Cmd}}x{{end}} {{json .Cmd}} {{json .Names}}", "[] 0  null [\"a\",\"b\"]"),
            ("{{.Id}} {{range .History}}{{.CreatedBy}} {{.Created}};{{end}}{{json .History}}", HISTORY),
            ("{{range .}}{{.ID}} {{end}}", "abc "),
        ] {
            let expected = if text.starts_with("{{range .}}") { expected.to_owned() } else { format!("{expected}\n") };
            assert_eq!(run(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn keys_of_maps_may_be_missing_and_fields_not() {
        assert_eq!(run("{{.Labels.nope}}|{{index .Labels \"nope\"}}|{{.Labels.k}}").unwrap(), "<no value>||v\n");
        assert_eq!(run("{{if .Labels.nope}}yes{{else}}no{{end}} {{$.Labels.k}} {{.Label \"k\"}}").unwrap(), "no v v\n");
        // What is not there now is a field all the same.
        assert_eq!(run("{{if .State.Health}}{{.State.Health.Status}}{{end}}").unwrap(), "\n");
        let foo = "template: ps: executing \"ps\" at <.Foo>: can't evaluate field Foo";
        for unknown in ["{{.Foo}}", "{{.State.Foo}}", "{{range .Mounts}}{{.Foo}}{{end}}", "x{{$.Foo}}"] {
            assert_eq!(run(unknown), Err(foo.to_owned()), "{unknown}");
        }
        for unclosed in ["{{", "x{{.ID", "{{.ID |", "{{if .ID}}{{"] {
            let failed = run(unclosed).unwrap_err();
            assert!(failed.starts_with("template: ps:1:") && failed.ends_with(": unclosed action"), "{failed}");
        }
        assert_eq!(run("{{nofunc .ID}}"), Err("template: ps: function \"nofunc\" not defined".to_owned()));
        for bad in [
            "{{",
            "{{.ID",
            "{{if}}",
            "{{.ID}",
            "{{.Created.Frob}}",
            "{{.Created.Format}}",
            "{{.Created.Unix 1}}",
            "{{end}}",
            "{{join .ID \",\"}}",
            "{{truncate 1 2}}",
            "{{range .ID}}{{end}}",
        ] {
            assert!(bad == "{{.ID}" && run(bad).is_ok() || run(bad).is_err(), "{bad}: {:?}", run(bad));
        }
    }

    #[derive(Default, serde::Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        #[serde(rename = "ID")]
        id: String,
        created_at: String,
        names: String,
    }

    #[test]
    fn tables_have_headings() {
        let rows = [Row { id: "abc".into(), created_at: "now".into(), names: "box".into() }];
        let list = |text: &str, bare| {
            Template::parse("ps", text).unwrap().list(&rows, &[("ID", "CONTAINER ID")], bare).unwrap()
        };
        assert_eq!(list("table {{.ID}} {{.Names}}", false), "CONTAINER ID  NAMES\nabc           box\n");
        assert_eq!(
            list("table {{.ID}}\\t{{upper .CreatedAt}}", false),
            "CONTAINER ID  CREATED AT\nabc           NOW\n"
        );
        assert_eq!(list("table {{.Names}}", true), "box\n");
        assert_eq!(list("{{.Names}}", false), "box\n");
        let none = Template::parse("ps", "table {{.Names}}").unwrap().list::<Row>(&[], &[], false).unwrap();
        assert_eq!(none, "NAMES\n");
    }

    #[test]
    fn hostile_templates_end() {
        let deep = |open: &str, middle: &str, close: &str, n| format!("{}{middle}{}", open.repeat(n), close.repeat(n));
        assert!(run(&deep("{{if .ID}}", "x", "{{end}}", 1000)).is_err());
        assert!(run(&format!("{{{{{}}}}}", deep("(", ".ID", ")", 10_000))).is_err());
        assert!(run(&"x".repeat(100_000)).is_err());
        assert!(run("{{range 2000000}}{{end}}").is_err());
        for doubling in [
            "{{$x := \"ab\"}}{{range 60}}{{$x = print $x $x}}{{end}}",
            "{{$x := \"ab\"}}{{range 60}}{{$x = $x | printf \"%s%s\" $x}}{{end}}",
            "{{$x := .Names}}{{range 60}}{{$x = split (join $x (join $x (join $x \"-\"))) \"-\"}}{{end}}",
            "{{define \"a\"}}{{template \"a\" (print . .)}}{{end}}{{template \"a\" .ID}}",
            "{{$x := printf \"%60000d\" 1}}{{range 1000}}{{$x}}{{end}}",
        ] {
            let failed = run(doubling).unwrap_err();
            assert!(failed.contains("more than 16777216 bytes"), "{doubling}: {failed}");
        }
        assert!(run("{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}").is_err());
    }
}
