# Completion of imgexportfs and imgexport for bash. The program knows the words.
_imgexportfs() {
	local line=${COMP_LINE:0:COMP_POINT} word words=() current rest paths
	# Bash splits words at = and :, which belong to them here: a part without a
	# blank before it continues the word.
	for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
		rest=${line#"${line%%[![:space:]]*}"}
		if [[ ${#words[@]} == 0 || $rest != "$line" || -z $rest && -z $word ]]; then
			words+=("")
		fi
		[[ $rest == "$word"* ]] || word=$rest
		words[${#words[@]} - 1]+=$word
		line=${rest#"$word"}
	done
	words=("${words[@]//[\\\"\']/}")
	current=${words[${#words[@]} - 1]}
	COMPREPLY=()
	{
		IFS= read -r paths || return 0
		# Only what follows the last = or : is replaced.
		local head=${current%"${current##*[=:]}"}
		while IFS= read -r word; do
			word=${word%%$'\t'*}
			COMPREPLY+=("$(printf %q "${word#"$head"}")")
		done
	} < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
	if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace
	fi
	case $paths in
	files) compopt -o filenames && mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "${current##*[=:]}") ;;
	directories) compopt -o filenames && mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "${current##*[=:]}") ;;
	esac
}
complete -F _imgexportfs imgexportfs imgexport
