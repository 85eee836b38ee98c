# Completion of coracle for bash: the program itself says what may follow.
# An alias is completed, too, by: complete -o nospace -F _coracle podman
_coracle() {
    local program=coracle
    [[ $1 == */* ]] && program=$1
    mapfile -t COMPREPLY < <("$program" @complete bash "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    # A space ends the word, unless more may follow in it.
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} != *[/=:.,] ]]; then
        compopt +o nospace
    fi
}
complete -o nospace -F _coracle coracle
