//! Go knows fields of structs, which must be there, from keys of maps, which need not. Values here are all alike, so the fields that
//! hold maps are named, and what a template asks of them is rewritten: `.Config.Labels.x` to a look for the key `x`.

use gotmpl::parse::{BranchNode, CommandNode, Expr, ListNode, Node, PipeNode, Pos};

use super::functions::{KEY, SHOWN, SHOWN_FIELD};
use super::{limits, times};

/// Fields that hold maps, whosever they are.
pub const MAPS: [&str; 15] = [
    "Annotations",
    "Attributes",
    "Data",
    "DriverOpts",
    "ExposedPorts",
    "GraphOptions",
    "GraphStatus",
    "Labels",
    "Networks",
    "Options",
    "PortBindings",
    "Ports",
    "Sysctl",
    "Tmpfs",
    "Volumes",
];

pub fn rewrite(list: &mut ListNode) {
    for node in &mut list.nodes {
        match node {
            Node::Action(action) => {
                pipe(&mut action.pipe);
                show(&mut action.pipe);
            }
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => self::branch(branch),
            Node::Template(template) => template.pipe.iter_mut().for_each(pipe),
            Node::List(inner) => rewrite(inner),
            Node::Define(define) => rewrite(&mut define.body),
            Node::Text(_) | Node::Break(_) | Node::Continue(_) => {}
        }
    }
}

fn branch(branch: &mut BranchNode) {
    pipe(&mut branch.pipe);
    rewrite(&mut branch.body);
    branch.else_body.iter_mut().for_each(rewrite);
}

/// `{{.X}}` to `{{.X | SHOWN}}`; what sets a variable prints nothing. That a map lacks a key is shown otherwise than that there is
/// nothing in a field.
fn show(pipe: &mut PipeNode) {
    if pipe.decl.is_empty() {
        let looks = |command: &CommandNode| matches!(command.args.as_slice(), [Expr::Pipe(_, inner)] if is_look(inner));
        let function = if pipe.commands.last().is_some_and(looks) { SHOWN } else { SHOWN_FIELD };
        let args = vec![Expr::Identifier(pipe.pos, function.into())];
        pipe.commands.push(CommandNode { pos: pipe.pos, args });
    }
}

fn is_look(pipe: &PipeNode) -> bool {
    let first = pipe.commands.first().and_then(|command| command.args.first());
    matches!(first, Some(Expr::Identifier(_, name)) if name == KEY)
}

fn pipe(pipe: &mut PipeNode) {
    for command in &mut pipe.commands {
        label(command);
        times::rewrite(command);
        command.args.iter_mut().for_each(expression);
    }
    limits::count(pipe);
}

/// `.Label "x"`, which Docker and Podman have for `index .Labels "x"`.
fn label(command: &mut CommandNode) {
    if let [Expr::Field(pos, fields), _] = command.args.as_mut_slice()
        && let Some(last) = fields.last_mut().filter(|last| *last == "Label")
    {
        let pos = *pos;
        *last = "Labels".into();
        command.args.insert(0, Expr::Identifier(pos, "index".into()));
    }
}

fn expression(expression: &mut Expr) {
    let (pos, fields) = match expression {
        Expr::Field(pos, fields) | Expr::Variable(pos, _, fields) => (*pos, fields),
        Expr::Chain(pos, inner, fields) => {
            self::expression(inner);
            (*pos, fields)
        }
        Expr::Pipe(_, inner) => return pipe(inner),
        _ => return,
    };
    let map = fields.iter().position(|field| MAPS.contains(&field.as_str()));
    let Some(map) = map.filter(|map| map + 1 < fields.len()) else { return };
    let rest = fields.split_off(map + 2);
    let Some(key) = fields.pop() else { return };
    let found = look(pos, expression.clone(), &key);
    *expression = if rest.is_empty() { found } else { Expr::Chain(pos, Box::new(found), rest) };
}

/// `(KEY map "key")`.
fn look(pos: Pos, map: Expr, key: &str) -> Expr {
    let args = vec![Expr::Identifier(pos, KEY.into()), map, Expr::String(pos, key.into())];
    let command = CommandNode { pos, args };
    Expr::Pipe(pos, PipeNode { pos, decl: Vec::new(), commands: vec![command], is_assign: false })
}
