//! Of each check, what it finds and what it does not.

use std::collections::{BTreeMap, BTreeSet};

use super::{Facts, Rules, find};
use crate::build::arguments::Arguments;
use crate::build::parse::parse;

/// What is found where `image` has `PATH` and `HOME`, and the ignore file names `left`.
fn found(text: &str, given: &[(&str, &str)]) -> Vec<String> {
    let file = parse("F", text.as_bytes()).unwrap();
    let given: BTreeMap<_, _> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let rules = Rules::of(&file, given.get("RULES").map(String::as_str)).unwrap();
    let platform = "linux/amd64".parse().unwrap();
    let mut arguments = Arguments::new(given, &platform, &platform, None);
    arguments.read(&file).unwrap();
    let facts = Facts {
        arguments: &arguments,
        environment: &|name, _| (name == "image").then(|| vec!["PATH=/bin".to_owned(), "HOME=/home".to_owned()]),
        contexts: BTreeSet::from(["Files".to_owned()]),
        is_left_out: &|path| path == "left" || path.starts_with("left/"),
    };
    find(&file, &facts, &rules).iter().map(ToString::to_string).collect()
}

/// Of each: what is found, and what is as it should be.
const EACH: &[(&str, &str, &[&str], &str)] = &[
    ("ConsistentInstructionCasing", "FROM image\nrun a\nRUN b", &["F:2: warning: `run` where"], "from image\nrun a"),
    ("ConsistentInstructionCasing", "from image\nrun a\nRun b", &["F:3: warning: `Run` where"], "FROM image\nRUN b"),
    ("CopyIgnoredFile", "FROM image\nCOPY a ./left/ /", &["F:2: warning: the ignore file"], "FROM image\nCOPY a lef /"),
    ("CopyIgnoredFile", "FROM image\nADD left /", &["F:2"], "FROM image\nCOPY --from=x left /\nADD http://left/ /"),
    (
        "DuplicateStageName",
        "FROM image AS a\nFROM image AS b\nFROM a AS a",
        &["F:3: warning: a second stage `a`"],
        "FROM image AS a\nFROM a AS b",
    ),
    ("ExposeInvalidFormat", "FROM image\nEXPOSE 1 127.0.0.1:80:80", &["F:2"], "FROM image\nEXPOSE 1 80-90/tcp"),
    (
        "ExposeProtoCasing",
        "FROM image\nEXPOSE 80/TCP",
        &["F:2: warning: the protocol `TCP`"],
        "FROM image\nEXPOSE 80/tcp",
    ),
    ("FromAsCasing", "FROM image as a", &["F:1: warning: `as` behind `FROM`"], "FROM image AS a"),
    ("FromAsCasing", "from image AS a", &["F:1: warning: `AS` behind `from`"], "from image as a"),
    (
        "FromPlatformFlagConstDisallowed",
        "FROM --platform=linux/amd64 image AS base",
        &["F:1: warning: `--platform=linux/amd64`"],
        "FROM --platform=linux/amd64 image AS base_amd64\nFROM --platform=$BUILDPLATFORM image",
    ),
    (
        "InvalidDefaultArgInFrom",
        "ARG TAG\nFROM image:${TAG}",
        &["F:2: warning: `image:${TAG}` is no image unless"],
        "ARG TAG=1\nFROM image:${TAG}",
    ),
    ("InvalidDefaultArgInFrom", "ARG TAG\nFROM $TAG", &["F:2"], "ARG TAG\nFROM ${TAG:-image}"),
    (
        "InvalidDefinitionDescription",
        "# check=experimental=all\n# words\nFROM image AS a\n# V is one\nARG V\n# no\nARG V",
        &["F:3: warning: the comment above", "F:7"],
        "# check=experimental=InvalidDefinitionDescription\nFROM image AS a\n# words\n\nARG V\n# words\nRUN a",
    ),
    (
        "JSONArgsRecommended",
        "FROM image\nCMD a\nENTRYPOINT b",
        &["F:2: warning: CMD by a shell", "F:3: warning: ENTRYPOINT by a shell"],
        "FROM image\nSHELL [\"/bin/bash\", \"-c\"]\nCMD a\nENTRYPOINT [\"b\"]",
    ),
    (
        "LegacyKeyValueFormat",
        "FROM image\nENV a b=c\nLABEL d e",
        &["F:2: warning: `ENV a VALUE`", "F:3: warning: `LABEL d VALUE`"],
        "FROM image\nENV a=b c=d\nLABEL \"d\"=e",
    ),
    (
        "MaintainerDeprecated",
        "FROM image\nMAINTAINER me",
        &["F:2: warning: MAINTAINER"],
        "FROM image\nLABEL authors=me",
    ),
    (
        "MultipleInstructionsDisallowed",
        "FROM image\nCMD [\"a\"]\nHEALTHCHECK NONE\nCMD [\"b\"]\nHEALTHCHECK NONE",
        &["F:2: warning: CMD has no effect: there is another on line 4", "F:3: warning: HEALTHCHECK"],
        "FROM image AS a\nCMD [\"a\"]\nFROM a\nCMD [\"b\"]",
    ),
    (
        "NoEmptyContinuation",
        "FROM image\nRUN a \\\n\n  b",
        &["F:3: warning: an empty line within RUN"],
        "FROM image\nRUN a \\\n# comment\n  b\nRUN <<E\n\nE\n",
    ),
    (
        "RedundantTargetPlatform",
        "FROM --platform=${TARGETPLATFORM} image",
        &["F:1: warning: `--platform=${TARGETPLATFORM}`"],
        "FROM --platform=$BUILDPLATFORM image",
    ),
    (
        "ReservedStageName",
        "FROM image AS context",
        &["F:1: warning: `context` has a meaning"],
        "FROM image AS contexts",
    ),
    (
        "SecretsUsedInArgOrEnv",
        "FROM image\nARG AWS_SECRET_ID\nENV token=a KEYS=b",
        &["F:2: warning: ARG `AWS_SECRET_ID`", "F:3: warning: ENV `token`"],
        "FROM image\nENV PUBLIC_KEY=a MONKEY=b",
    ),
    (
        "StageNameCasing",
        "FROM image AS Base",
        &["F:1: warning: the stage `Base` is called `base`"],
        "FROM image AS base",
    ),
    (
        "UndefinedArgInFrom",
        "ARG TAG=1\nFROM image:1$TGA",
        &["F:2: warning: no ARG above the first FROM declares `TGA`: did you mean `TAG`?"],
        "ARG TAG=1 EMPTY\nFROM --platform=$BUILDPLATFORM image:1$TAG$EMPTY${NOT:-}",
    ),
    (
        "UndefinedVar",
        "FROM image AS a\nARG DIR\nENV NAME=a\nFROM a\nCOPY $NAEM ${HOME}/$DIR",
        &["F:5: warning: nothing above gives `$NAEM` a value: did you mean `NAME`?"],
        "FROM image\nARG DIR\nCOPY $DIR ${NO:-a} $HOME\nENV A=1\nLABEL b=$A\\$C\nRUN $D\nFROM other\nUSER $E\nFROM files\nUSER $F",
    ),
    (
        "WorkdirRelativePath",
        "FROM image\nWORKDIR a\nWORKDIR /b\nWORKDIR c",
        &["F:2: warning: `WORKDIR a`"],
        "FROM image AS a\nWORKDIR $HOME/a\nWORKDIR b\nFROM a\nWORKDIR c",
    ),
];

#[test]
fn each_check_finds_what_it_is_for_and_nothing_else() {
    for (check, bad, expected, good) in EACH {
        let of_it = |text: &str, given: &[(&str, &str)]| {
            let mut lines = found(text, given);
            lines.retain(|line| line.ends_with(&format!("({check})")));
            lines
        };
        // Who says which image gets one.
        let lines = of_it(bad, &[("TAG", "image:1")]);
        assert_eq!(lines.len(), expected.len(), "{check}: {lines:?}");
        for (line, expected) in lines.iter().zip(*expected) {
            assert!(line.starts_with(expected), "{check}: {line}");
        }
        assert_eq!(of_it(good, &[]), [""; 0], "{check}");
        // Left out by its name, and by all.
        let skip = format!("experimental=all;skip=Other, {check}");
        assert_eq!(of_it(bad, &[("TAG", "image:1"), ("RULES", &skip)]), [""; 0], "{check}");
        assert_eq!(found(bad, &[("TAG", "image:1"), ("RULES", "skip=all")]), [""; 0], "{check}");
    }
}

#[test]
fn rules_are_read_and_what_they_can_not_mean_is_shown() {
    let rules = |directive: &str| {
        let file = parse("F", format!("# check={directive}\nFROM image").as_bytes()).unwrap();
        Rules::of(&file, None).map_err(|fault| fault.to_string())
    };
    assert!(rules("skip=A, B; error=true").unwrap().is_error);
    assert!(!rules("error=false").unwrap().is_error);
    for wrong in ["skip", "error=perhaps", "skip=A;only=B"] {
        let part = wrong.rsplit(';').next().unwrap();
        assert_eq!(rules(wrong), Err(format!("F:1:1: `{part}` means nothing to `# check=`")));
    }
}
