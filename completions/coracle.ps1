# Completion of coracle for PowerShell: the program itself says what may follow.
Register-ArgumentCompleter -Native -CommandName coracle -ScriptBlock {
    param($current, $command, $position)
    $words = @($command.CommandElements | Where-Object { $_.Extent.EndOffset -lt $position } | ForEach-Object { "$_" })
    coracle @complete powershell @words "=$current" 2>$null | ForEach-Object {
        $value, $about = $_ -split "`t", 2
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $(if ($about) { $about } else { $value }))
    }
}
