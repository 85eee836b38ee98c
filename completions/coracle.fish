# Completion of coracle for fish: the program itself says what may follow.
# An alias is completed, too, by: complete --command podman --wraps coracle
function __coracle_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l program coracle
    string match --quiet '*/*' -- $words[1]; and set program $words[1]
    # Those that fish would close braces with it would quote, so that they close nothing: in quotes all is well.
    string match --quiet --regex '^(--[^=]*=)?\{\{' -- "$current"; and return
    # A quote that is open is no part of the word.
    $program @complete fish $words (string replace --regex '^(--[^=]*=)?[\'"]' '$1' -- "$current") 2>/dev/null
end
complete --command coracle --no-files --keep-order --arguments '(__coracle_complete)'
