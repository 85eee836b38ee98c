# Completion of coracle for elvish: the program itself says what may follow.
# An alias is completed, too, by: set edit:completion:arg-completer[podman] = $edit:completion:arg-completer[coracle]
use re
use str
set edit:completion:arg-completer[coracle] = {|@words|
    coracle @complete elvish $@words 2>/dev/null | from-lines | each {|line|
        var value = (str:split "\t" $line | take 1)
        var about = (str:trim-prefix (str:trim-prefix $line $value) "\t")
        # A space ends the word, unless more may follow in it.
        var end = ' '
        if (re:match '[/=:.,]$' $value) {
            set end = ''
        }
        var display = $value
        if (not-eq $about '') {
            set display = $value' ('$about')'
        }
        edit:complex-candidate $value &code-suffix=$end &display=$display
    }
}
