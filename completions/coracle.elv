# Completion of coracle for elvish: the program itself says what may follow.
use str
set edit:completion:arg-completer[coracle] = {|@words|
    coracle @complete elvish $@words 2>/dev/null | from-lines | each {|line|
        var value = (str:split "\t" $line | take 1)
        var about = (str:trim-prefix (str:trim-prefix $line $value) "\t")
        if (eq $about '') {
            edit:complex-candidate $value
        } else {
            edit:complex-candidate $value &display=$value' ('$about')'
        }
    }
}
