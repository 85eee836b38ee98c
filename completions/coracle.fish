# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_coracle_global_optspecs
    string join \n root= runroot= storage-driver= storage-opt= cgroup-manager= config= log-level= module= h/help V/version
end

function __fish_coracle_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_coracle_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_coracle_using_subcommand
    set -l cmd (__fish_coracle_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c coracle -n "__fish_coracle_needs_command" -l root -d 'Keep images and containers in this directory [default: $XDG_DATA_HOME/coracle]' -r -F
complete -c coracle -n "__fish_coracle_needs_command" -l runroot -d 'Keep what is true of this boot alone in this directory: what the kernel\'s overlay can do here [default: with the rest]' -r -F
complete -c coracle -n "__fish_coracle_needs_command" -l storage-driver -d 'Mount containers with this driver: `auto`, `kernel` or `fuse` [default: auto]' -r
complete -c coracle -n "__fish_coracle_needs_command" -l storage-opt -d '`size=BYTES[bkmgt]`: how much a container may write into its file system, where it is not said for the container itself' -r
complete -c coracle -n "__fish_coracle_needs_command" -l cgroup-manager -d 'Who makes control groups: `systemd`, or `cgroupfs`, this program itself in what is delegated [default: systemd, where there is one]' -r
complete -c coracle -n "__fish_coracle_needs_command" -l config -d 'Look for `config.json` with credentials in this directory, as Docker does [default: ~/.docker]' -r -F
complete -c coracle -n "__fish_coracle_needs_command" -l log-level -d '`debug`: say what is read, started and decided; `error`: no warnings [default: warn]' -r
complete -c coracle -n "__fish_coracle_needs_command" -l module -d 'Read this file of containers.conf.modules/, too, for what no flag says' -r -F
complete -c coracle -n "__fish_coracle_needs_command" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_needs_command" -s V -l version -d 'Print version'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "attach" -d 'Attach to a running container'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "commit" -d 'Make an image of a container and what it changed'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "container" -d 'Manage containers'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "cp" -d 'Copy files and directories between a container and this machine, or two containers'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "create" -d 'Create a container without starting it'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "diff" -d 'Show what a container, or the topmost layer of an image, changed'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "exec" -d 'Run a command in a running container'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "export" -d 'Write the file system of a container as a tar archive'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "healthcheck" -d 'Check the health of a container'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "inspect" -d 'Show everything about containers, images, volumes or networks'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "kill" -d 'Send a signal to containers'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "logs" -d 'Print what containers wrote'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "pause" -d 'Stop every process of containers, until they are unpaused'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "port" -d 'List the ports of containers that are published on this machine'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "ps" -d 'List containers'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "list" -d 'List containers'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "rename" -d 'Give a container another name'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "restart" -d 'Stop containers, if they run, and start them'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "rm" -d 'Remove containers'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "run" -d 'Run a command in a new container'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "start" -d 'Start containers'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "stats" -d 'Show what containers use of processors, memory and networks'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "stop" -d 'Stop containers'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "top" -d 'Show the processes of a container'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "unpause" -d 'Let the processes of paused containers go on'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "update" -d 'Change a container\'s limits, restart policy and health checks'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "wait" -d 'Wait until containers have ended and print their exit codes'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "doctor" -d 'Try each thing that a container needs of this machine and account, and say what helps'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "events" -d 'Show what happens to containers, images and volumes, as it happens'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "info" -d 'Show facts about this machine, this account and the store'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "system" -d 'Manage this program and what it keeps'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "unshare" -d 'Run a command of this machine as root of the account\'s user namespace, where the files of containers have their owners'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "version" -d 'Show the version of this program'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "generate" -d 'Write completions and manual pages into `completions/` and `man/` of a directory'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "history" -d 'Show how an image was made'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "image" -d 'Manage images'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "login" -d 'Log in to a registry'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "logout" -d 'Log out of a registry'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "search" -d 'Search registries for images'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "images" -d 'List images'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "import" -d 'Make an image of a tar archive of a file system'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "load" -d 'Load images from an archive'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "manifest" -d 'Manage manifest lists: images for several platforms under one name'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "network" -d 'Manage networks on which containers find each other'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "pod" -d 'List pods, of which there are none'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "quadlet" -d 'Make units of systemd of the files that say which containers are to run, see coracle-quadlet(5)'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "unit" -d 'Write a container as a file that `quadlet install` takes, to be a service of systemd'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "pull" -d 'Pull images from a registry'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "push" -d 'Push an image to a registry'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "rmi" -d 'Remove images, or names of images that have several'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "save" -d 'Save images to an archive'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "tag" -d 'Give an image more names'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "untag" -d 'Take names away from an image, which itself stays'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "secret" -d 'Manage secrets'
complete -c coracle -n "__fish_coracle_needs_command" -f -a "volume" -d 'Manage volumes'
complete -c coracle -n "__fish_coracle_using_subcommand attach" -l detach-keys -d 'Keys that leave the container and let it run on; an empty text: none do' -r
complete -c coracle -n "__fish_coracle_using_subcommand attach" -l sig-proxy -d 'Pass signals on to the program' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand attach" -l no-stdin -d 'Do not feed standard input to the program'
complete -c coracle -n "__fish_coracle_using_subcommand attach" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand attach" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand commit" -s a -l author -d 'Who made it: `NAME <ADDRESS>`' -r
complete -c coracle -n "__fish_coracle_using_subcommand commit" -s c -l change -d 'Change the image\'s config by an instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR' -r
complete -c coracle -n "__fish_coracle_using_subcommand commit" -l config -d 'Merge the container configuration of this JSON file into the image\'s config' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand commit" -s f -l format -d '`oci` or `docker`' -r
complete -c coracle -n "__fish_coracle_using_subcommand commit" -l iidfile -d 'Write the image\'s ID to this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand commit" -s m -l message -d 'A message for the image\'s config; with `--format docker` alone' -r
complete -c coracle -n "__fish_coracle_using_subcommand commit" -l include-volumes -d 'Make volumes of the image of what is mounted in the container'
complete -c coracle -n "__fish_coracle_using_subcommand commit" -s p -l pause -d 'Pause the container meanwhile'
complete -c coracle -n "__fish_coracle_using_subcommand commit" -s q -l quiet -d 'Print nothing but the ID'
complete -c coracle -n "__fish_coracle_using_subcommand commit" -s s -l squash -d 'Make one layer of the whole file system'
complete -c coracle -n "__fish_coracle_using_subcommand commit" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "attach" -d 'Attach to a running container'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "cleanup" -d 'Tidy up behind containers that have ended; their monitors do so by themselves, unless they were killed'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "commit" -d 'Make an image of a container and what it changed'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "cp" -d 'Copy files and directories between a container and this machine, or two containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "create" -d 'Create a container without starting it'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "diff" -d 'Show what a container changed'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "exec" -d 'Run a command in a running container'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "exists" -d 'Tell by the exit code whether a container exists: 0 or 1'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "export" -d 'Write the file system of a container as a tar archive'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "inspect" -d 'Show everything about containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "kill" -d 'Send a signal to containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "logs" -d 'Print what containers wrote'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "ls" -d 'List containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "list" -d 'List containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "ps" -d 'List containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "pause" -d 'Stop every process of containers, until they are unpaused'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "port" -d 'List the ports of containers that are published on this machine'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "prune" -d 'Remove all containers that do not run'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "rename" -d 'Give a container another name'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "restart" -d 'Stop containers, if they run, and start them'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "rm" -d 'Remove containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "run" -d 'Run a command in a new container'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "start" -d 'Start containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "stats" -d 'Show what containers use of processors, memory and networks'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "stop" -d 'Stop containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "top" -d 'Show the processes of a container'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "unpause" -d 'Let the processes of paused containers go on'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "update" -d 'Change a container\'s limits, restart policy and health checks'
complete -c coracle -n "__fish_coracle_using_subcommand container; and not __fish_seen_subcommand_from attach cleanup commit cp create diff exec exists export inspect kill logs ls list ps pause port prune rename restart rm run start stats stop top unpause update wait" -f -a "wait" -d 'Wait until containers have ended and print their exit codes'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from attach" -l detach-keys -d 'Keys that leave the container and let it run on; an empty text: none do' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from attach" -l sig-proxy -d 'Pass signals on to the program' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from attach" -l no-stdin -d 'Do not feed standard input to the program'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from attach" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from attach" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from cleanup" -s a -l all -d 'All containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from cleanup" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from cleanup" -l rm -d 'Remove those that do not run'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from cleanup" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -s a -l author -d 'Who made it: `NAME <ADDRESS>`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -s c -l change -d 'Change the image\'s config by an instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -l config -d 'Merge the container configuration of this JSON file into the image\'s config' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -s f -l format -d '`oci` or `docker`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -l iidfile -d 'Write the image\'s ID to this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -s m -l message -d 'A message for the image\'s config; with `--format docker` alone' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -l include-volumes -d 'Make volumes of the image of what is mounted in the container'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -s p -l pause -d 'Pause the container meanwhile'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -s q -l quiet -d 'Print nothing but the ID'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -s s -l squash -d 'Make one layer of the whole file system'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from commit" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from cp" -s a -l archive -d 'What is copied into a container becomes its user\'s; `--archive=false`: it keeps its owners\' numbers' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from cp" -l overwrite -d 'Let a file take the place of a directory, and a directory that of a file'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from cp" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s a -l attach -d 'In the foreground, show this stream alone: `stdin`, `stdout` or `stderr`; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l entrypoint -d 'Run this instead of the image\'s entry point; a word, or a JSON list of words' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l group-add -d 'Add a group to the program\'s; `keep-groups`: those of this process, which may have no number inside' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l tz -d 'The program\'s time zone: a name of tzdata, or `local` for this machine\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l umask -d 'The program\'s umask, in octal' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s u -l user -d 'Run as this user, by name or number' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s w -l workdir -d 'Start in this directory' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l group-entry -d 'The line of /etc/group for the program\'s group, in which `$GROUPNAME`, `$GID` and `$USERLIST` are replaced' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l hostuser -d 'Add a user of this machine to the container\'s /etc/passwd' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l passwd -d 'Add the program\'s user to /etc/passwd and /etc/group where they are not known [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l passwd-entry -d 'The line of /etc/passwd for the program\'s user, in which `$USERNAME`, `$UID`, `$GID`, `$NAME` and `$HOME` are replaced' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l default-env -d 'Those of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s e -l env -d 'Set a variable; without a value it is taken from the environment, `PREFIX*` takes all that begin so' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l env-file -d 'Read variables from a file, one a line' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l env-merge -d 'Set a variable from the image\'s: `${NAME}` is replaced by its value' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l http-proxy -d 'Take the variables for proxies from the environment [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l unsetenv -d 'Leave a variable of the image or a default one out' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l annotation -d 'Add an annotation' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s h -l hostname -d 'The container\'s host name [default: the beginning of its ID]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s l -l label -d 'Set a label' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l label-file -d 'Read labels from a file, one a line' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l name -d 'Name the container' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l pull -d 'When to pull the image: `missing`, `always`, `newer` or `never`' -r -f -a "missing\t''
always\t''
newer\t''
never\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l platform -d 'The platform of the image: `os/architecture` or `os/architecture/variant` [default: this machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l signature-policy -d 'Take the policy from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l arch -d 'The architecture of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l os -d 'The operating system of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l variant -d 'The variant of the architecture' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l max-layer-size -d 'Refuse a layer that unpacks to more [default: nine tenths of what the disk has free]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cidfile -d 'Write the container\'s ID to this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l stop-signal -d 'Signal that stops the program' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l stop-timeout -d 'Seconds between that signal and the kill' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l systemd -d 'Make the container a place for systemd: `true`, if the program is systemd or init; `always`; `false`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l shm-size-systemd -d 'Size of what systemd has in memory, as /run and /tmp [default: half of the machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l conmon-pidfile -d 'Write the monitor\'s pid to this file when the program starts' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l init-path -d 'The init process of `--init`, a program of this machine [default: one of this program\'s own]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l pidfile -d 'Write the program\'s pid to this file when it starts' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l restart -d 'Start the program again when it has ended: `no`, `on-failure[:N]`, `always` or `unless-stopped`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l sdnotify -d 'Who tells the service manager that the container is ready: `container`, its program; `conmon`, this program when that runs; `healthy`, at the first health check that is passed; `ignore`, nobody' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l timeout -d 'Kill the program when it has run for this long; 0: never' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l default-sysctl -d 'Those of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l oom-score-adj -d 'The program\'s preference when memory runs out, from -1000 to 1000: the higher, the sooner it is killed' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l sysctl -d 'Change a setting of the kernel that the container has for itself' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l ulimit -d 'A limit of the program\'s resources, -1 for none; `host`: those of this process' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroup-conf -d 'Write a value to a file of the container\'s control group' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroup-parent -d 'Have the container\'s control group in this slice of systemd\'s, or below this group' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroups -d '`enabled`: a control group of its own; `split`, `no-conmon`: the caller\'s own is divided, as in a unit; `disabled`: none' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l default-pids-limit -d 'That of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l blkio-weight -d 'The container\'s share of block devices, from 10 to 1000' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l blkio-weight-device -d 'The same of one device' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cpu-period -d 'The microseconds in which `--cpu-quota` can be used up' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cpu-quota -d 'Microseconds of processors in each period: 0 or less, without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s c -l cpu-shares -d 'The container\'s share of processors that are all in use; 1024 is the usual one' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cpus -d 'How many processors may be used: `1.5`; 0: all' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cpuset-cpus -d 'Which processors may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cpuset-mems -d 'Which nodes of memory may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l device-read-bps -d 'How many bytes may be read from a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l device-read-iops -d 'How many reads of a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l device-write-bps -d 'How many bytes may be written to a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l device-write-iops -d 'How many writes to a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s m -l memory -d 'How much memory may be used; 0: without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-reservation -d 'How much of the memory is left to the container when others run short' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-swap -d 'How much memory and swap may be used together, -1: without a limit [default: twice `--memory`]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-swappiness -d '-1 alone: control groups of version 2 have no such setting' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l pids-limit -d 'How many processes there may be: -1 or 0, without a limit [default: 2048]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-cmd -d 'Check in the container whether it is well: a line for its shell, or a JSON list of words; `none`: do not [default: the image\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-interval -d 'Pause between two checks, as `30s`; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-log-destination -d 'Keep what checks find in a file of this directory; `local`: with the container [default: local]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-max-log-count -d 'How many checks are remembered, at most 100; 0: 100 [default: 5]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-max-log-size -d 'How many bytes of the output of each, at most 4000; 0: 4000 [default: 500]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-on-failure -d 'What happens when it is unhealthy: `none`, `kill`, `restart` or `stop` [default: none]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-retries -d 'So many failures in a row make it unhealthy [default: 3]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-start-period -d 'Time after the start in which failures do not count [default: 0s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-startup-cmd -d 'Another command, which must succeed before the checks begin' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-startup-interval -d 'Pause between two runs of it; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-startup-retries -d 'So many failures of it in a row restart the container; 0: none do [default: 0]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-startup-success -d 'So many successes of it are needed [default: 1]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-startup-timeout -d 'A run of it that takes longer is killed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l health-timeout -d 'A check that takes longer is killed, and has failed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l log-driver -d 'Keep the output as `k8s-file` (`json-file` is the same) or in `journald`, or leave it to `none` or `passthrough` [default: k8s-file]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l log-opt -d '`max-size=SIZE`: keep the last that many bytes, `path=FILE`: in this file, `tag=TEXT`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroupns -d '`private`, `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l ipc -d '`shareable`, `private`, `none` (no /dev/shm), `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l pid -d '`private`, `host` or `container:NAME`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l requires -d 'Start these containers first' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l uts -d '`private`, `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l add-host -d 'Add a line to /etc/hosts' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l dns -d 'Ask this server for names in place of the host\'s; `none`: leave /etc/resolv.conf to the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l dns-option -l dns-opt -d 'An option of resolv.conf(5) in place of the host\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l dns-search -d 'Look for names in this domain in place of the host\'s; `.`: in none' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l expose -d 'Document a port, or a range of ports, that the program listens on' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l hosts-file -d 'Take the lines of this file into /etc/hosts in place of the host\'s; `image`: those of the image\'s own; `none`: no lines' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l default-network-cmd -d 'Who makes the way out where `--network` names nobody' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l default-pasta-option -d 'Words for pasta(1) before those of `--network=pasta:WORD,WORD`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l network -l net -d '`private`: a network of its own with a way out, by `stack`, this program itself, or by `pasta:WORD,WORD`, with words for pasta(1); `none`, `host`, `container:NAME`, `ns:PATH`; or the name of a network that others are on, more than once for several, with `:alias=`, `ip=`, `ip6=`, `mac=`, `interface_name=` behind it' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l ip -d 'The IPv4 address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l ip6 -d 'The IPv6 address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l mac-address -d 'The hardware\'s address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l network-alias -d 'Another name by which the container is found on its networks' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s p -l publish -d 'Let a port of this machine, or any that is free, lead to a port of the container, and a range to one as long; with `unix:/PATH:PORT` a socket file, made for this account alone' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cap-add -d 'Give a capability' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l cap-drop -d 'Take a capability away' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l default-capability -d 'Those that the configuration has in place of the usual ones' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l security-opt -d '`no-new-privileges`, `seccomp=FILE` (a profile in JSON) or `seccomp=unconfined`, `mask=PATH:…`, `unmask=ALL` or `unmask=PATH:…`, `proc-opts=OPTION,…`; `label=…` and `apparmor=unconfined` are accepted' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l read-only-tmpfs -d 'With `--read-only`, let /run, /tmp, /var/tmp, /dev and /dev/shm be written to, in memory [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l shm-size -d 'Size of /dev/shm' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l storage-opt -d '`size=BYTES[bkmgt]`: how much the container may write into its file system' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l image-volume -d 'What becomes of the volumes that the image asks for: `anonymous`, `tmpfs` or `ignore` [default: anonymous]' -r -f -a "anonymous\t''
tmpfs\t''
ignore\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l mount -d 'Mount something, in words: `type=bind|volume|tmpfs|image|glob|devpts,source=…,target=…` and options' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l tmpfs -d 'Mount a tmpfs, which begins with what the image has at its place' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s v -l volume -d 'Show a volume, or a file or directory of this machine, in the container; with the option `U` its files become the container\'s user\'s, with `mine` yours are shown as that user\'s and stay yours, with `O` what is written is thrown away' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l volumes-from -d 'Mount the volumes and directories that another container has' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l device -d 'Show a device of this machine, or all in a directory, in the container; whether it can be used its own permissions say, and your groups with `--group-add=keep-groups`. `VENDOR/CLASS=NAME`: a device that a file in /etc/cdi describes' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l gpus -d 'As `--device nvidia.com/gpu=NAME`; `all`: all of them' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l default-cdi-spec-dir -d 'Where files that describe devices are looked for, in place of /etc/cdi and /var/run/cdi' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l device-cgroup-rule -d 'Refused: only the machine\'s root can make such rules' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l secret -d 'Give a secret, as a file in /run/secrets or with `type=env` as a variable; `target=`, `uid=`, `gid=`, `mode=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l gidmap -d 'Map group ids: a group of the container to one of yours; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l subgidname -d 'Map the subordinate group ids of this account, which is to be named: as `--userns=nomap`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l subuidname -d 'Map the subordinate user ids of this account, which is to be named: as `--userns=nomap`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l uidmap -d 'Map user ids: a user of the container to one of yours; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l userns -d '`host`: you are root inside; `keep-id`: you are yourself; `auto`: ids that no other container has; `nomap`: all but yours; `container:NAME`: that container\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s i -l interactive -d 'Keep standard input open'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s t -l tty -d 'Give the program a terminal'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l env-host -d 'Take all variables of the environment'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l unsetenv-all -d 'Leave all variables of the image and all default ones out'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Print nothing while pulling'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l rootfs -d 'Take a directory of this machine in place of IMAGE as the root file system; `DIRECTORY:O` copy-on-write'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l replace -d 'Take the name from the container that has it, and remove that one; if this one can\'t start, all stays as it was'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l rm -d 'Remove the container when it has ended'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l init -d 'Run the program below an init process, which takes care of orphans and passes signals on'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l no-healthcheck -d 'Do not check, whatever the image says'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l no-hostname -d 'Leave /etc/hostname to the image'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l no-hosts -d 'Leave /etc/hosts to the image'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -s P -l publish-all -d 'Publish all exposed ports, on ports of this machine that are free'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l privileged -d 'Give all capabilities of the user namespace, show all of /proc and /sys, filter no system call'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from create" -l read-only -d 'Mount the root file system read-only'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from diff" -l format -d '`json`: three lists instead of lines' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from diff" -s l -l latest -d 'The container that was made last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -l cidfile -d 'Read the container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -l detach-keys -d 'Keys that leave the command and let it run on; an empty text: none do' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -s e -l env -d 'Set a variable; without a value it is taken from the environment, `PREFIX*` takes all that begin so' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -l env-file -d 'Read variables from a file, one a line' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -l preserve-fd -d 'Hand these descriptors on, under their own numbers' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -l preserve-fds -d 'Hand this many descriptors on, number 3 and up' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -s u -l user -d 'Run as this user, by name or number [default: the container\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -s w -l workdir -d 'Start in this directory [default: the container\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -s d -l detach -d 'Leave the command running and print the ID of its session'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -s i -l interactive -d 'Feed standard input to the command'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -s l -l latest -d 'In the container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -l privileged -d 'Give all capabilities of the container\'s user namespace'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -s t -l tty -d 'Give the command a terminal'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exec" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from export" -s o -l output -d 'To this file, which appears when it is whole [default: standard output]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from inspect" -s f -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from inspect" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from inspect" -s s -l size -d 'How much each container has written, and how much that is with its image'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from kill" -s s -l signal -d 'The signal, by name or number' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from kill" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from kill" -s a -l all -d 'All running containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from kill" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from kill" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from logs" -l since -d 'Only what was written since then: a time, a date, seconds since 1970, or how long ago (`10m`, `1h30m`)' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from logs" -l tail -d 'Only the last lines; -1: all' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from logs" -l until -d 'Only what was written until then' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Go on until the container has ended'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from logs" -s l -l latest -d 'Of the container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from logs" -s n -l names -d 'With several containers: begin each line with the name of its own instead of the ID'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from logs" -s t -l timestamps -d 'Begin each line with its time'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Only those that fit: `name=`, `id=`, `status=`, `label=`, `ancestor=`, `before=`, `since=`, `until=`, `exited=`, `command=`, `network=`, `volume=`; of one key any, of different keys all' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -s n -l last -d 'Only the last N created' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -l sort -d 'What to sort by' -r -f -a "command\t''
created\t''
id\t''
image\t''
names\t''
runningfor\t''
size\t''
status\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -s w -l watch -d 'Show it again and again, with so many seconds between' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -s a -l all -d 'All, not only those that run'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -l external -d 'Accepted for scripts: other programs\' containers are never in this store'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -s l -l latest -d 'Only the one created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Whole IDs and commands'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -l ns -d 'The namespaces of each'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -s p -l pod -d 'The pod of each'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only IDs'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -s s -l size -d 'How much each has written, and how much that is with its image'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -l sync -d 'Accepted for scripts: the state shown is always the true one'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -s f -l filter -d 'Only those that fit: `name=`, `id=`, `status=`, `label=`, `ancestor=`, `before=`, `since=`, `until=`, `exited=`, `command=`, `network=`, `volume=`; of one key any, of different keys all' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -s n -l last -d 'Only the last N created' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -l sort -d 'What to sort by' -r -f -a "command\t''
created\t''
id\t''
image\t''
names\t''
runningfor\t''
size\t''
status\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -s w -l watch -d 'Show it again and again, with so many seconds between' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -s a -l all -d 'All, not only those that run'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -l external -d 'Accepted for scripts: other programs\' containers are never in this store'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -s l -l latest -d 'Only the one created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -l no-trunc -d 'Whole IDs and commands'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -l ns -d 'The namespaces of each'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -s p -l pod -d 'The pod of each'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only IDs'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -s s -l size -d 'How much each has written, and how much that is with its image'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -l sync -d 'Accepted for scripts: the state shown is always the true one'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -s f -l filter -d 'Only those that fit: `name=`, `id=`, `status=`, `label=`, `ancestor=`, `before=`, `since=`, `until=`, `exited=`, `command=`, `network=`, `volume=`; of one key any, of different keys all' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -s n -l last -d 'Only the last N created' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -l sort -d 'What to sort by' -r -f -a "command\t''
created\t''
id\t''
image\t''
names\t''
runningfor\t''
size\t''
status\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -s w -l watch -d 'Show it again and again, with so many seconds between' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -s a -l all -d 'All, not only those that run'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -l external -d 'Accepted for scripts: other programs\' containers are never in this store'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -s l -l latest -d 'Only the one created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -l no-trunc -d 'Whole IDs and commands'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -l ns -d 'The namespaces of each'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -s p -l pod -d 'The pod of each'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -s q -l quiet -d 'Only IDs'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -s s -l size -d 'How much each has written, and how much that is with its image'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -l sync -d 'Accepted for scripts: the state shown is always the true one'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from ps" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from pause" -s f -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from pause" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from pause" -s a -l all -d 'All that run'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from pause" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from port" -s a -l all -d 'Of all running containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from port" -s l -l latest -d 'Of the container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from port" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from port" -a "add" -d 'Publish ports of a container, at once if it runs'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from port" -a "rm" -d 'Publish ports of a container no more'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from prune" -l filter -d 'Only containers that fit: `label=NAME[=VALUE]`, `label!=…`, `until=TIME` (made before then)' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not ask'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from restart" -s f -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from restart" -s t -l time -l timeout -d 'Seconds before the kill, -1: never [default: the container\'s, 10]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from restart" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from restart" -s a -l all -d 'All containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from restart" -l running -d 'Only those that run'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from restart" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from restart" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rm" -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rm" -s t -l time -d 'Seconds before the kill of a running one, -1: never [default: the container\'s, 10]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rm" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rm" -s a -l all -d 'All containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rm" -l depend -d 'Before each, the containers that need it'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rm" -s f -l force -d 'Running ones too; names that no container has are no failure'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'Names that no container has are no failure'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rm" -s v -l volumes -d 'Their anonymous volumes, too'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rm" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l detach-keys -d 'Keys that leave the container and let it run on; an empty text: none do' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l preserve-fd -d 'Hand these descriptors on, under their own numbers' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l preserve-fds -d 'Hand this many descriptors on, number 3 and up' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l sig-proxy -d 'Pass signals on to the program' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s a -l attach -d 'In the foreground, show this stream alone: `stdin`, `stdout` or `stderr`; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l entrypoint -d 'Run this instead of the image\'s entry point; a word, or a JSON list of words' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l group-add -d 'Add a group to the program\'s; `keep-groups`: those of this process, which may have no number inside' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l tz -d 'The program\'s time zone: a name of tzdata, or `local` for this machine\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l umask -d 'The program\'s umask, in octal' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s u -l user -d 'Run as this user, by name or number' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s w -l workdir -d 'Start in this directory' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l group-entry -d 'The line of /etc/group for the program\'s group, in which `$GROUPNAME`, `$GID` and `$USERLIST` are replaced' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l hostuser -d 'Add a user of this machine to the container\'s /etc/passwd' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l passwd -d 'Add the program\'s user to /etc/passwd and /etc/group where they are not known [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l passwd-entry -d 'The line of /etc/passwd for the program\'s user, in which `$USERNAME`, `$UID`, `$GID`, `$NAME` and `$HOME` are replaced' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l default-env -d 'Those of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s e -l env -d 'Set a variable; without a value it is taken from the environment, `PREFIX*` takes all that begin so' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l env-file -d 'Read variables from a file, one a line' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l env-merge -d 'Set a variable from the image\'s: `${NAME}` is replaced by its value' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l http-proxy -d 'Take the variables for proxies from the environment [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l unsetenv -d 'Leave a variable of the image or a default one out' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l annotation -d 'Add an annotation' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s h -l hostname -d 'The container\'s host name [default: the beginning of its ID]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s l -l label -d 'Set a label' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l label-file -d 'Read labels from a file, one a line' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l name -d 'Name the container' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l pull -d 'When to pull the image: `missing`, `always`, `newer` or `never`' -r -f -a "missing\t''
always\t''
newer\t''
never\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l platform -d 'The platform of the image: `os/architecture` or `os/architecture/variant` [default: this machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l signature-policy -d 'Take the policy from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l arch -d 'The architecture of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l os -d 'The operating system of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l variant -d 'The variant of the architecture' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l max-layer-size -d 'Refuse a layer that unpacks to more [default: nine tenths of what the disk has free]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cidfile -d 'Write the container\'s ID to this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l stop-signal -d 'Signal that stops the program' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l stop-timeout -d 'Seconds between that signal and the kill' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l systemd -d 'Make the container a place for systemd: `true`, if the program is systemd or init; `always`; `false`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l shm-size-systemd -d 'Size of what systemd has in memory, as /run and /tmp [default: half of the machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l conmon-pidfile -d 'Write the monitor\'s pid to this file when the program starts' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l init-path -d 'The init process of `--init`, a program of this machine [default: one of this program\'s own]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l pidfile -d 'Write the program\'s pid to this file when it starts' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l restart -d 'Start the program again when it has ended: `no`, `on-failure[:N]`, `always` or `unless-stopped`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l sdnotify -d 'Who tells the service manager that the container is ready: `container`, its program; `conmon`, this program when that runs; `healthy`, at the first health check that is passed; `ignore`, nobody' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l timeout -d 'Kill the program when it has run for this long; 0: never' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l default-sysctl -d 'Those of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l oom-score-adj -d 'The program\'s preference when memory runs out, from -1000 to 1000: the higher, the sooner it is killed' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l sysctl -d 'Change a setting of the kernel that the container has for itself' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l ulimit -d 'A limit of the program\'s resources, -1 for none; `host`: those of this process' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroup-conf -d 'Write a value to a file of the container\'s control group' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroup-parent -d 'Have the container\'s control group in this slice of systemd\'s, or below this group' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroups -d '`enabled`: a control group of its own; `split`, `no-conmon`: the caller\'s own is divided, as in a unit; `disabled`: none' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l default-pids-limit -d 'That of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l blkio-weight -d 'The container\'s share of block devices, from 10 to 1000' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l blkio-weight-device -d 'The same of one device' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cpu-period -d 'The microseconds in which `--cpu-quota` can be used up' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cpu-quota -d 'Microseconds of processors in each period: 0 or less, without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s c -l cpu-shares -d 'The container\'s share of processors that are all in use; 1024 is the usual one' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cpus -d 'How many processors may be used: `1.5`; 0: all' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cpuset-cpus -d 'Which processors may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cpuset-mems -d 'Which nodes of memory may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l device-read-bps -d 'How many bytes may be read from a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l device-read-iops -d 'How many reads of a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l device-write-bps -d 'How many bytes may be written to a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l device-write-iops -d 'How many writes to a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s m -l memory -d 'How much memory may be used; 0: without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-reservation -d 'How much of the memory is left to the container when others run short' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-swap -d 'How much memory and swap may be used together, -1: without a limit [default: twice `--memory`]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-swappiness -d '-1 alone: control groups of version 2 have no such setting' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l pids-limit -d 'How many processes there may be: -1 or 0, without a limit [default: 2048]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-cmd -d 'Check in the container whether it is well: a line for its shell, or a JSON list of words; `none`: do not [default: the image\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-interval -d 'Pause between two checks, as `30s`; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-log-destination -d 'Keep what checks find in a file of this directory; `local`: with the container [default: local]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-max-log-count -d 'How many checks are remembered, at most 100; 0: 100 [default: 5]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-max-log-size -d 'How many bytes of the output of each, at most 4000; 0: 4000 [default: 500]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-on-failure -d 'What happens when it is unhealthy: `none`, `kill`, `restart` or `stop` [default: none]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-retries -d 'So many failures in a row make it unhealthy [default: 3]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-start-period -d 'Time after the start in which failures do not count [default: 0s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-startup-cmd -d 'Another command, which must succeed before the checks begin' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-startup-interval -d 'Pause between two runs of it; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-startup-retries -d 'So many failures of it in a row restart the container; 0: none do [default: 0]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-startup-success -d 'So many successes of it are needed [default: 1]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-startup-timeout -d 'A run of it that takes longer is killed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l health-timeout -d 'A check that takes longer is killed, and has failed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l log-driver -d 'Keep the output as `k8s-file` (`json-file` is the same) or in `journald`, or leave it to `none` or `passthrough` [default: k8s-file]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l log-opt -d '`max-size=SIZE`: keep the last that many bytes, `path=FILE`: in this file, `tag=TEXT`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroupns -d '`private`, `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l ipc -d '`shareable`, `private`, `none` (no /dev/shm), `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l pid -d '`private`, `host` or `container:NAME`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l requires -d 'Start these containers first' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l uts -d '`private`, `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l add-host -d 'Add a line to /etc/hosts' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l dns -d 'Ask this server for names in place of the host\'s; `none`: leave /etc/resolv.conf to the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l dns-option -l dns-opt -d 'An option of resolv.conf(5) in place of the host\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l dns-search -d 'Look for names in this domain in place of the host\'s; `.`: in none' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l expose -d 'Document a port, or a range of ports, that the program listens on' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l hosts-file -d 'Take the lines of this file into /etc/hosts in place of the host\'s; `image`: those of the image\'s own; `none`: no lines' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l default-network-cmd -d 'Who makes the way out where `--network` names nobody' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l default-pasta-option -d 'Words for pasta(1) before those of `--network=pasta:WORD,WORD`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l network -l net -d '`private`: a network of its own with a way out, by `stack`, this program itself, or by `pasta:WORD,WORD`, with words for pasta(1); `none`, `host`, `container:NAME`, `ns:PATH`; or the name of a network that others are on, more than once for several, with `:alias=`, `ip=`, `ip6=`, `mac=`, `interface_name=` behind it' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l ip -d 'The IPv4 address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l ip6 -d 'The IPv6 address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l mac-address -d 'The hardware\'s address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l network-alias -d 'Another name by which the container is found on its networks' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s p -l publish -d 'Let a port of this machine, or any that is free, lead to a port of the container, and a range to one as long; with `unix:/PATH:PORT` a socket file, made for this account alone' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cap-add -d 'Give a capability' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l cap-drop -d 'Take a capability away' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l default-capability -d 'Those that the configuration has in place of the usual ones' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l security-opt -d '`no-new-privileges`, `seccomp=FILE` (a profile in JSON) or `seccomp=unconfined`, `mask=PATH:…`, `unmask=ALL` or `unmask=PATH:…`, `proc-opts=OPTION,…`; `label=…` and `apparmor=unconfined` are accepted' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l read-only-tmpfs -d 'With `--read-only`, let /run, /tmp, /var/tmp, /dev and /dev/shm be written to, in memory [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l shm-size -d 'Size of /dev/shm' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l storage-opt -d '`size=BYTES[bkmgt]`: how much the container may write into its file system' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l image-volume -d 'What becomes of the volumes that the image asks for: `anonymous`, `tmpfs` or `ignore` [default: anonymous]' -r -f -a "anonymous\t''
tmpfs\t''
ignore\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l mount -d 'Mount something, in words: `type=bind|volume|tmpfs|image|glob|devpts,source=…,target=…` and options' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l tmpfs -d 'Mount a tmpfs, which begins with what the image has at its place' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s v -l volume -d 'Show a volume, or a file or directory of this machine, in the container; with the option `U` its files become the container\'s user\'s, with `mine` yours are shown as that user\'s and stay yours, with `O` what is written is thrown away' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l volumes-from -d 'Mount the volumes and directories that another container has' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l device -d 'Show a device of this machine, or all in a directory, in the container; whether it can be used its own permissions say, and your groups with `--group-add=keep-groups`. `VENDOR/CLASS=NAME`: a device that a file in /etc/cdi describes' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l gpus -d 'As `--device nvidia.com/gpu=NAME`; `all`: all of them' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l default-cdi-spec-dir -d 'Where files that describe devices are looked for, in place of /etc/cdi and /var/run/cdi' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l device-cgroup-rule -d 'Refused: only the machine\'s root can make such rules' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l secret -d 'Give a secret, as a file in /run/secrets or with `type=env` as a variable; `target=`, `uid=`, `gid=`, `mode=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l gidmap -d 'Map group ids: a group of the container to one of yours; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l subgidname -d 'Map the subordinate group ids of this account, which is to be named: as `--userns=nomap`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l subuidname -d 'Map the subordinate user ids of this account, which is to be named: as `--userns=nomap`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l uidmap -d 'Map user ids: a user of the container to one of yours; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l userns -d '`host`: you are root inside; `keep-id`: you are yourself; `auto`: ids that no other container has; `nomap`: all but yours; `container:NAME`: that container\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s d -l detach -d 'Leave the container running and print its ID'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l rmi -d 'Remove the container when it has ended, and then its image, unless another container uses it'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l explain -d 'Print the steps of the start as JSON instead of carrying them out'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s i -l interactive -d 'Keep standard input open'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s t -l tty -d 'Give the program a terminal'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l env-host -d 'Take all variables of the environment'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l unsetenv-all -d 'Leave all variables of the image and all default ones out'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print nothing while pulling'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l rootfs -d 'Take a directory of this machine in place of IMAGE as the root file system; `DIRECTORY:O` copy-on-write'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l replace -d 'Take the name from the container that has it, and remove that one; if this one can\'t start, all stays as it was'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l rm -d 'Remove the container when it has ended'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l init -d 'Run the program below an init process, which takes care of orphans and passes signals on'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l no-healthcheck -d 'Do not check, whatever the image says'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l no-hostname -d 'Leave /etc/hostname to the image'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l no-hosts -d 'Leave /etc/hosts to the image'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -s P -l publish-all -d 'Publish all exposed ports, on ports of this machine that are free'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l privileged -d 'Give all capabilities of the user namespace, show all of /proc and /sys, filter no system call'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from run" -l read-only -d 'Mount the root file system read-only'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from start" -l detach-keys -d 'Keys that leave the container and let it run on; an empty text: none do' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from start" -s f -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from start" -l sig-proxy -d 'Pass signals on to the program (with `--attach`)' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from start" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from start" -l all -d 'All containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from start" -s a -l attach -d 'Stay with the container, its output and its exit code'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from start" -s i -l interactive -d 'Feed standard input to the program (with `--attach`)'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from start" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stats" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stats" -s i -l interval -d 'Seconds between two looks' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stats" -s a -l all -d 'All containers, not only those that run'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stats" -s l -l latest -d 'Only the container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stats" -l no-reset -d 'Show what is new below what is old'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stats" -l no-stream -d 'Look once'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stats" -l no-trunc -d 'Whole IDs'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stop" -s f -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stop" -s t -l time -l timeout -d 'Seconds before the kill, -1: never [default: the container\'s, 10]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stop" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stop" -s a -l all -d 'All running containers'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stop" -s i -l ignore -d 'Names that no container has are no failure'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stop" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from top" -s l -l latest -d 'Of the container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from top" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from unpause" -s f -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from unpause" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from unpause" -s a -l all -d 'All that are paused'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from unpause" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from unpause" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-cmd -d 'Check in the container whether it is well: a line for its shell, or a JSON list of words; `none`: do not [default: the image\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-interval -d 'Pause between two checks, as `30s`; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-log-destination -d 'Keep what checks find in a file of this directory; `local`: with the container [default: local]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-max-log-count -d 'How many checks are remembered, at most 100; 0: 100 [default: 5]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-max-log-size -d 'How many bytes of the output of each, at most 4000; 0: 4000 [default: 500]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-on-failure -d 'What happens when it is unhealthy: `none`, `kill`, `restart` or `stop` [default: none]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-retries -d 'So many failures in a row make it unhealthy [default: 3]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-start-period -d 'Time after the start in which failures do not count [default: 0s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-startup-cmd -d 'Another command, which must succeed before the checks begin' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-startup-interval -d 'Pause between two runs of it; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-startup-retries -d 'So many failures of it in a row restart the container; 0: none do [default: 0]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-startup-success -d 'So many successes of it are needed [default: 1]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-startup-timeout -d 'A run of it that takes longer is killed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l health-timeout -d 'A check that takes longer is killed, and has failed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l blkio-weight -d 'The container\'s share of block devices, from 10 to 1000' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l blkio-weight-device -d 'The same of one device' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l cpu-period -d 'The microseconds in which `--cpu-quota` can be used up' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l cpu-quota -d 'Microseconds of processors in each period: 0 or less, without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -s c -l cpu-shares -d 'The container\'s share of processors that are all in use; 1024 is the usual one' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l cpus -d 'How many processors may be used: `1.5`; 0: all' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l cpuset-cpus -d 'Which processors may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l cpuset-mems -d 'Which nodes of memory may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l device-read-bps -d 'How many bytes may be read from a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l device-read-iops -d 'How many reads of a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l device-write-bps -d 'How many bytes may be written to a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l device-write-iops -d 'How many writes to a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -s m -l memory -d 'How much memory may be used; 0: without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l memory-reservation -d 'How much of the memory is left to the container when others run short' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l memory-swap -d 'How much memory and swap may be used together, -1: without a limit [default: twice `--memory`]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l memory-swappiness -d '-1 alone: control groups of version 2 have no such setting' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l pids-limit -d 'How many processes there may be: -1 or 0, without a limit [default: 2048]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l restart -d 'Start the program again when it has ended: `no`, `on-failure[:N]`, `always` or `unless-stopped`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -l no-healthcheck -d 'Do not check, whatever the image says'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from wait" -l condition -d 'Wait for this: `created`, `running`, `exited`, `removing`, `healthy`, … [default: exited]' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from wait" -s i -l interval -d 'Look this often for what tells nobody of a change, in milliseconds or as `5s`' -r
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from wait" -l exit-first-match -d 'Wait until one of the containers is so, not for each in turn'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from wait" -l ignore -d 'Names that no container has are no failure: their code is -1'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from wait" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand container; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand cp" -s a -l archive -d 'What is copied into a container becomes its user\'s; `--archive=false`: it keeps its owners\' numbers' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand cp" -l overwrite -d 'Let a file take the place of a directory, and a directory that of a file'
complete -c coracle -n "__fish_coracle_using_subcommand cp" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand create" -s a -l attach -d 'In the foreground, show this stream alone: `stdin`, `stdout` or `stderr`; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l entrypoint -d 'Run this instead of the image\'s entry point; a word, or a JSON list of words' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l group-add -d 'Add a group to the program\'s; `keep-groups`: those of this process, which may have no number inside' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l tz -d 'The program\'s time zone: a name of tzdata, or `local` for this machine\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l umask -d 'The program\'s umask, in octal' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -s u -l user -d 'Run as this user, by name or number' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -s w -l workdir -d 'Start in this directory' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l group-entry -d 'The line of /etc/group for the program\'s group, in which `$GROUPNAME`, `$GID` and `$USERLIST` are replaced' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l hostuser -d 'Add a user of this machine to the container\'s /etc/passwd' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l passwd -d 'Add the program\'s user to /etc/passwd and /etc/group where they are not known [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand create" -l passwd-entry -d 'The line of /etc/passwd for the program\'s user, in which `$USERNAME`, `$UID`, `$GID`, `$NAME` and `$HOME` are replaced' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l default-env -d 'Those of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -s e -l env -d 'Set a variable; without a value it is taken from the environment, `PREFIX*` takes all that begin so' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l env-file -d 'Read variables from a file, one a line' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l env-merge -d 'Set a variable from the image\'s: `${NAME}` is replaced by its value' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l http-proxy -d 'Take the variables for proxies from the environment [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand create" -l unsetenv -d 'Leave a variable of the image or a default one out' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l annotation -d 'Add an annotation' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -s h -l hostname -d 'The container\'s host name [default: the beginning of its ID]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -s l -l label -d 'Set a label' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l label-file -d 'Read labels from a file, one a line' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l name -d 'Name the container' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l pull -d 'When to pull the image: `missing`, `always`, `newer` or `never`' -r -f -a "missing\t''
always\t''
newer\t''
never\t''"
complete -c coracle -n "__fish_coracle_using_subcommand create" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand create" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l platform -d 'The platform of the image: `os/architecture` or `os/architecture/variant` [default: this machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l signature-policy -d 'Take the policy from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l arch -d 'The architecture of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l os -d 'The operating system of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l variant -d 'The variant of the architecture' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l max-layer-size -d 'Refuse a layer that unpacks to more [default: nine tenths of what the disk has free]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cidfile -d 'Write the container\'s ID to this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l stop-signal -d 'Signal that stops the program' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l stop-timeout -d 'Seconds between that signal and the kill' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l systemd -d 'Make the container a place for systemd: `true`, if the program is systemd or init; `always`; `false`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l shm-size-systemd -d 'Size of what systemd has in memory, as /run and /tmp [default: half of the machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l conmon-pidfile -d 'Write the monitor\'s pid to this file when the program starts' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l init-path -d 'The init process of `--init`, a program of this machine [default: one of this program\'s own]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l pidfile -d 'Write the program\'s pid to this file when it starts' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l restart -d 'Start the program again when it has ended: `no`, `on-failure[:N]`, `always` or `unless-stopped`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l sdnotify -d 'Who tells the service manager that the container is ready: `container`, its program; `conmon`, this program when that runs; `healthy`, at the first health check that is passed; `ignore`, nobody' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l timeout -d 'Kill the program when it has run for this long; 0: never' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l default-sysctl -d 'Those of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l oom-score-adj -d 'The program\'s preference when memory runs out, from -1000 to 1000: the higher, the sooner it is killed' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l sysctl -d 'Change a setting of the kernel that the container has for itself' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l ulimit -d 'A limit of the program\'s resources, -1 for none; `host`: those of this process' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cgroup-conf -d 'Write a value to a file of the container\'s control group' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cgroup-parent -d 'Have the container\'s control group in this slice of systemd\'s, or below this group' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cgroups -d '`enabled`: a control group of its own; `split`, `no-conmon`: the caller\'s own is divided, as in a unit; `disabled`: none' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l default-pids-limit -d 'That of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l blkio-weight -d 'The container\'s share of block devices, from 10 to 1000' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l blkio-weight-device -d 'The same of one device' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cpu-period -d 'The microseconds in which `--cpu-quota` can be used up' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cpu-quota -d 'Microseconds of processors in each period: 0 or less, without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -s c -l cpu-shares -d 'The container\'s share of processors that are all in use; 1024 is the usual one' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cpus -d 'How many processors may be used: `1.5`; 0: all' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cpuset-cpus -d 'Which processors may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cpuset-mems -d 'Which nodes of memory may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l device-read-bps -d 'How many bytes may be read from a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l device-read-iops -d 'How many reads of a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l device-write-bps -d 'How many bytes may be written to a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l device-write-iops -d 'How many writes to a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -s m -l memory -d 'How much memory may be used; 0: without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l memory-reservation -d 'How much of the memory is left to the container when others run short' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l memory-swap -d 'How much memory and swap may be used together, -1: without a limit [default: twice `--memory`]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l memory-swappiness -d '-1 alone: control groups of version 2 have no such setting' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l pids-limit -d 'How many processes there may be: -1 or 0, without a limit [default: 2048]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-cmd -d 'Check in the container whether it is well: a line for its shell, or a JSON list of words; `none`: do not [default: the image\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-interval -d 'Pause between two checks, as `30s`; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-log-destination -d 'Keep what checks find in a file of this directory; `local`: with the container [default: local]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-max-log-count -d 'How many checks are remembered, at most 100; 0: 100 [default: 5]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-max-log-size -d 'How many bytes of the output of each, at most 4000; 0: 4000 [default: 500]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-on-failure -d 'What happens when it is unhealthy: `none`, `kill`, `restart` or `stop` [default: none]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-retries -d 'So many failures in a row make it unhealthy [default: 3]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-start-period -d 'Time after the start in which failures do not count [default: 0s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-startup-cmd -d 'Another command, which must succeed before the checks begin' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-startup-interval -d 'Pause between two runs of it; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-startup-retries -d 'So many failures of it in a row restart the container; 0: none do [default: 0]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-startup-success -d 'So many successes of it are needed [default: 1]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-startup-timeout -d 'A run of it that takes longer is killed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l health-timeout -d 'A check that takes longer is killed, and has failed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l log-driver -d 'Keep the output as `k8s-file` (`json-file` is the same) or in `journald`, or leave it to `none` or `passthrough` [default: k8s-file]' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l log-opt -d '`max-size=SIZE`: keep the last that many bytes, `path=FILE`: in this file, `tag=TEXT`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cgroupns -d '`private`, `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l ipc -d '`shareable`, `private`, `none` (no /dev/shm), `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l pid -d '`private`, `host` or `container:NAME`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l requires -d 'Start these containers first' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l uts -d '`private`, `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l add-host -d 'Add a line to /etc/hosts' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l dns -d 'Ask this server for names in place of the host\'s; `none`: leave /etc/resolv.conf to the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l dns-option -l dns-opt -d 'An option of resolv.conf(5) in place of the host\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l dns-search -d 'Look for names in this domain in place of the host\'s; `.`: in none' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l expose -d 'Document a port, or a range of ports, that the program listens on' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l hosts-file -d 'Take the lines of this file into /etc/hosts in place of the host\'s; `image`: those of the image\'s own; `none`: no lines' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l default-network-cmd -d 'Who makes the way out where `--network` names nobody' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l default-pasta-option -d 'Words for pasta(1) before those of `--network=pasta:WORD,WORD`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l network -l net -d '`private`: a network of its own with a way out, by `stack`, this program itself, or by `pasta:WORD,WORD`, with words for pasta(1); `none`, `host`, `container:NAME`, `ns:PATH`; or the name of a network that others are on, more than once for several, with `:alias=`, `ip=`, `ip6=`, `mac=`, `interface_name=` behind it' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l ip -d 'The IPv4 address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l ip6 -d 'The IPv6 address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l mac-address -d 'The hardware\'s address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l network-alias -d 'Another name by which the container is found on its networks' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -s p -l publish -d 'Let a port of this machine, or any that is free, lead to a port of the container, and a range to one as long; with `unix:/PATH:PORT` a socket file, made for this account alone' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cap-add -d 'Give a capability' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l cap-drop -d 'Take a capability away' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l default-capability -d 'Those that the configuration has in place of the usual ones' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l security-opt -d '`no-new-privileges`, `seccomp=FILE` (a profile in JSON) or `seccomp=unconfined`, `mask=PATH:…`, `unmask=ALL` or `unmask=PATH:…`, `proc-opts=OPTION,…`; `label=…` and `apparmor=unconfined` are accepted' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l read-only-tmpfs -d 'With `--read-only`, let /run, /tmp, /var/tmp, /dev and /dev/shm be written to, in memory [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand create" -l shm-size -d 'Size of /dev/shm' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l storage-opt -d '`size=BYTES[bkmgt]`: how much the container may write into its file system' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l image-volume -d 'What becomes of the volumes that the image asks for: `anonymous`, `tmpfs` or `ignore` [default: anonymous]' -r -f -a "anonymous\t''
tmpfs\t''
ignore\t''"
complete -c coracle -n "__fish_coracle_using_subcommand create" -l mount -d 'Mount something, in words: `type=bind|volume|tmpfs|image|glob|devpts,source=…,target=…` and options' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l tmpfs -d 'Mount a tmpfs, which begins with what the image has at its place' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -s v -l volume -d 'Show a volume, or a file or directory of this machine, in the container; with the option `U` its files become the container\'s user\'s, with `mine` yours are shown as that user\'s and stay yours, with `O` what is written is thrown away' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l volumes-from -d 'Mount the volumes and directories that another container has' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l device -d 'Show a device of this machine, or all in a directory, in the container; whether it can be used its own permissions say, and your groups with `--group-add=keep-groups`. `VENDOR/CLASS=NAME`: a device that a file in /etc/cdi describes' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l gpus -d 'As `--device nvidia.com/gpu=NAME`; `all`: all of them' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l default-cdi-spec-dir -d 'Where files that describe devices are looked for, in place of /etc/cdi and /var/run/cdi' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand create" -l device-cgroup-rule -d 'Refused: only the machine\'s root can make such rules' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l secret -d 'Give a secret, as a file in /run/secrets or with `type=env` as a variable; `target=`, `uid=`, `gid=`, `mode=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l gidmap -d 'Map group ids: a group of the container to one of yours; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l subgidname -d 'Map the subordinate group ids of this account, which is to be named: as `--userns=nomap`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l subuidname -d 'Map the subordinate user ids of this account, which is to be named: as `--userns=nomap`' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l uidmap -d 'Map user ids: a user of the container to one of yours; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l userns -d '`host`: you are root inside; `keep-id`: you are yourself; `auto`: ids that no other container has; `nomap`: all but yours; `container:NAME`: that container\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand create" -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand create" -s i -l interactive -d 'Keep standard input open'
complete -c coracle -n "__fish_coracle_using_subcommand create" -s t -l tty -d 'Give the program a terminal'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l env-host -d 'Take all variables of the environment'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l unsetenv-all -d 'Leave all variables of the image and all default ones out'
complete -c coracle -n "__fish_coracle_using_subcommand create" -s q -l quiet -d 'Print nothing while pulling'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l rootfs -d 'Take a directory of this machine in place of IMAGE as the root file system; `DIRECTORY:O` copy-on-write'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l replace -d 'Take the name from the container that has it, and remove that one; if this one can\'t start, all stays as it was'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l rm -d 'Remove the container when it has ended'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l init -d 'Run the program below an init process, which takes care of orphans and passes signals on'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l no-healthcheck -d 'Do not check, whatever the image says'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l no-hostname -d 'Leave /etc/hostname to the image'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l no-hosts -d 'Leave /etc/hosts to the image'
complete -c coracle -n "__fish_coracle_using_subcommand create" -s P -l publish-all -d 'Publish all exposed ports, on ports of this machine that are free'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l privileged -d 'Give all capabilities of the user namespace, show all of /proc and /sys, filter no system call'
complete -c coracle -n "__fish_coracle_using_subcommand create" -l read-only -d 'Mount the root file system read-only'
complete -c coracle -n "__fish_coracle_using_subcommand diff" -l format -d '`json`: three lists instead of lines' -r
complete -c coracle -n "__fish_coracle_using_subcommand diff" -s l -l latest -d 'The container that was made last'
complete -c coracle -n "__fish_coracle_using_subcommand diff" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand exec" -l cidfile -d 'Read the container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand exec" -l detach-keys -d 'Keys that leave the command and let it run on; an empty text: none do' -r
complete -c coracle -n "__fish_coracle_using_subcommand exec" -s e -l env -d 'Set a variable; without a value it is taken from the environment, `PREFIX*` takes all that begin so' -r
complete -c coracle -n "__fish_coracle_using_subcommand exec" -l env-file -d 'Read variables from a file, one a line' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand exec" -l preserve-fd -d 'Hand these descriptors on, under their own numbers' -r
complete -c coracle -n "__fish_coracle_using_subcommand exec" -l preserve-fds -d 'Hand this many descriptors on, number 3 and up' -r
complete -c coracle -n "__fish_coracle_using_subcommand exec" -s u -l user -d 'Run as this user, by name or number [default: the container\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand exec" -s w -l workdir -d 'Start in this directory [default: the container\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand exec" -s d -l detach -d 'Leave the command running and print the ID of its session'
complete -c coracle -n "__fish_coracle_using_subcommand exec" -s i -l interactive -d 'Feed standard input to the command'
complete -c coracle -n "__fish_coracle_using_subcommand exec" -s l -l latest -d 'In the container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand exec" -l privileged -d 'Give all capabilities of the container\'s user namespace'
complete -c coracle -n "__fish_coracle_using_subcommand exec" -s t -l tty -d 'Give the command a terminal'
complete -c coracle -n "__fish_coracle_using_subcommand exec" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand export" -s o -l output -d 'To this file, which appears when it is whole [default: standard output]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand export" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand healthcheck; and not __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand healthcheck; and not __fish_seen_subcommand_from run" -f -a "run" -d 'Run the health check of a container now; exit code 1: it failed'
complete -c coracle -n "__fish_coracle_using_subcommand healthcheck; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand inspect" -s t -l type -d '`container`, `image`, `volume`, `network`, or `all`: whatever has the name' -r
complete -c coracle -n "__fish_coracle_using_subcommand inspect" -s f -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand inspect" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand inspect" -s s -l size -d 'How much each container has written, and how much that is with its image'
complete -c coracle -n "__fish_coracle_using_subcommand inspect" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand kill" -s s -l signal -d 'The signal, by name or number' -r
complete -c coracle -n "__fish_coracle_using_subcommand kill" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand kill" -s a -l all -d 'All running containers'
complete -c coracle -n "__fish_coracle_using_subcommand kill" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand kill" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand logs" -l since -d 'Only what was written since then: a time, a date, seconds since 1970, or how long ago (`10m`, `1h30m`)' -r
complete -c coracle -n "__fish_coracle_using_subcommand logs" -l tail -d 'Only the last lines; -1: all' -r
complete -c coracle -n "__fish_coracle_using_subcommand logs" -l until -d 'Only what was written until then' -r
complete -c coracle -n "__fish_coracle_using_subcommand logs" -s f -l follow -d 'Go on until the container has ended'
complete -c coracle -n "__fish_coracle_using_subcommand logs" -s l -l latest -d 'Of the container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand logs" -s n -l names -d 'With several containers: begin each line with the name of its own instead of the ID'
complete -c coracle -n "__fish_coracle_using_subcommand logs" -s t -l timestamps -d 'Begin each line with its time'
complete -c coracle -n "__fish_coracle_using_subcommand logs" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand pause" -s f -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand pause" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand pause" -s a -l all -d 'All that run'
complete -c coracle -n "__fish_coracle_using_subcommand pause" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand pause" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand port; and not __fish_seen_subcommand_from add rm" -s a -l all -d 'Of all running containers'
complete -c coracle -n "__fish_coracle_using_subcommand port; and not __fish_seen_subcommand_from add rm" -s l -l latest -d 'Of the container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand port; and not __fish_seen_subcommand_from add rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand port; and not __fish_seen_subcommand_from add rm" -a "add" -d 'Publish ports of a container, at once if it runs'
complete -c coracle -n "__fish_coracle_using_subcommand port; and not __fish_seen_subcommand_from add rm" -a "rm" -d 'Publish ports of a container no more'
complete -c coracle -n "__fish_coracle_using_subcommand port; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c coracle -n "__fish_coracle_using_subcommand port; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -s f -l filter -d 'Only those that fit: `name=`, `id=`, `status=`, `label=`, `ancestor=`, `before=`, `since=`, `until=`, `exited=`, `command=`, `network=`, `volume=`; of one key any, of different keys all' -r
complete -c coracle -n "__fish_coracle_using_subcommand ps" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand ps" -s n -l last -d 'Only the last N created' -r
complete -c coracle -n "__fish_coracle_using_subcommand ps" -l sort -d 'What to sort by' -r -f -a "command\t''
created\t''
id\t''
image\t''
names\t''
runningfor\t''
size\t''
status\t''"
complete -c coracle -n "__fish_coracle_using_subcommand ps" -s w -l watch -d 'Show it again and again, with so many seconds between' -r
complete -c coracle -n "__fish_coracle_using_subcommand ps" -s a -l all -d 'All, not only those that run'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -l external -d 'Accepted for scripts: other programs\' containers are never in this store'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -s l -l latest -d 'Only the one created last'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -l no-trunc -d 'Whole IDs and commands'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -l ns -d 'The namespaces of each'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -s p -l pod -d 'The pod of each'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -s q -l quiet -d 'Only IDs'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -s s -l size -d 'How much each has written, and how much that is with its image'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -l sync -d 'Accepted for scripts: the state shown is always the true one'
complete -c coracle -n "__fish_coracle_using_subcommand ps" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand list" -s f -l filter -d 'Only those that fit: `name=`, `id=`, `status=`, `label=`, `ancestor=`, `before=`, `since=`, `until=`, `exited=`, `command=`, `network=`, `volume=`; of one key any, of different keys all' -r
complete -c coracle -n "__fish_coracle_using_subcommand list" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand list" -s n -l last -d 'Only the last N created' -r
complete -c coracle -n "__fish_coracle_using_subcommand list" -l sort -d 'What to sort by' -r -f -a "command\t''
created\t''
id\t''
image\t''
names\t''
runningfor\t''
size\t''
status\t''"
complete -c coracle -n "__fish_coracle_using_subcommand list" -s w -l watch -d 'Show it again and again, with so many seconds between' -r
complete -c coracle -n "__fish_coracle_using_subcommand list" -s a -l all -d 'All, not only those that run'
complete -c coracle -n "__fish_coracle_using_subcommand list" -l external -d 'Accepted for scripts: other programs\' containers are never in this store'
complete -c coracle -n "__fish_coracle_using_subcommand list" -s l -l latest -d 'Only the one created last'
complete -c coracle -n "__fish_coracle_using_subcommand list" -l no-trunc -d 'Whole IDs and commands'
complete -c coracle -n "__fish_coracle_using_subcommand list" -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand list" -l ns -d 'The namespaces of each'
complete -c coracle -n "__fish_coracle_using_subcommand list" -s p -l pod -d 'The pod of each'
complete -c coracle -n "__fish_coracle_using_subcommand list" -s q -l quiet -d 'Only IDs'
complete -c coracle -n "__fish_coracle_using_subcommand list" -s s -l size -d 'How much each has written, and how much that is with its image'
complete -c coracle -n "__fish_coracle_using_subcommand list" -l sync -d 'Accepted for scripts: the state shown is always the true one'
complete -c coracle -n "__fish_coracle_using_subcommand list" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand rename" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand restart" -s f -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand restart" -s t -l time -l timeout -d 'Seconds before the kill, -1: never [default: the container\'s, 10]' -r
complete -c coracle -n "__fish_coracle_using_subcommand restart" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand restart" -s a -l all -d 'All containers'
complete -c coracle -n "__fish_coracle_using_subcommand restart" -l running -d 'Only those that run'
complete -c coracle -n "__fish_coracle_using_subcommand restart" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand restart" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand rm" -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand rm" -s t -l time -d 'Seconds before the kill of a running one, -1: never [default: the container\'s, 10]' -r
complete -c coracle -n "__fish_coracle_using_subcommand rm" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand rm" -s a -l all -d 'All containers'
complete -c coracle -n "__fish_coracle_using_subcommand rm" -l depend -d 'Before each, the containers that need it'
complete -c coracle -n "__fish_coracle_using_subcommand rm" -s f -l force -d 'Running ones too; names that no container has are no failure'
complete -c coracle -n "__fish_coracle_using_subcommand rm" -s i -l ignore -d 'Names that no container has are no failure'
complete -c coracle -n "__fish_coracle_using_subcommand rm" -s v -l volumes -d 'Their anonymous volumes, too'
complete -c coracle -n "__fish_coracle_using_subcommand rm" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l detach-keys -d 'Keys that leave the container and let it run on; an empty text: none do' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l preserve-fd -d 'Hand these descriptors on, under their own numbers' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l preserve-fds -d 'Hand this many descriptors on, number 3 and up' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l sig-proxy -d 'Pass signals on to the program' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand run" -s a -l attach -d 'In the foreground, show this stream alone: `stdin`, `stdout` or `stderr`; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l entrypoint -d 'Run this instead of the image\'s entry point; a word, or a JSON list of words' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l group-add -d 'Add a group to the program\'s; `keep-groups`: those of this process, which may have no number inside' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l tz -d 'The program\'s time zone: a name of tzdata, or `local` for this machine\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l umask -d 'The program\'s umask, in octal' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -s u -l user -d 'Run as this user, by name or number' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -s w -l workdir -d 'Start in this directory' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l group-entry -d 'The line of /etc/group for the program\'s group, in which `$GROUPNAME`, `$GID` and `$USERLIST` are replaced' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l hostuser -d 'Add a user of this machine to the container\'s /etc/passwd' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l passwd -d 'Add the program\'s user to /etc/passwd and /etc/group where they are not known [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand run" -l passwd-entry -d 'The line of /etc/passwd for the program\'s user, in which `$USERNAME`, `$UID`, `$GID`, `$NAME` and `$HOME` are replaced' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l default-env -d 'Those of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -s e -l env -d 'Set a variable; without a value it is taken from the environment, `PREFIX*` takes all that begin so' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l env-file -d 'Read variables from a file, one a line' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l env-merge -d 'Set a variable from the image\'s: `${NAME}` is replaced by its value' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l http-proxy -d 'Take the variables for proxies from the environment [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand run" -l unsetenv -d 'Leave a variable of the image or a default one out' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l annotation -d 'Add an annotation' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -s h -l hostname -d 'The container\'s host name [default: the beginning of its ID]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -s l -l label -d 'Set a label' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l label-file -d 'Read labels from a file, one a line' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l name -d 'Name the container' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l pull -d 'When to pull the image: `missing`, `always`, `newer` or `never`' -r -f -a "missing\t''
always\t''
newer\t''
never\t''"
complete -c coracle -n "__fish_coracle_using_subcommand run" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand run" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l platform -d 'The platform of the image: `os/architecture` or `os/architecture/variant` [default: this machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l signature-policy -d 'Take the policy from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l arch -d 'The architecture of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l os -d 'The operating system of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l variant -d 'The variant of the architecture' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l max-layer-size -d 'Refuse a layer that unpacks to more [default: nine tenths of what the disk has free]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cidfile -d 'Write the container\'s ID to this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l stop-signal -d 'Signal that stops the program' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l stop-timeout -d 'Seconds between that signal and the kill' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l systemd -d 'Make the container a place for systemd: `true`, if the program is systemd or init; `always`; `false`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l shm-size-systemd -d 'Size of what systemd has in memory, as /run and /tmp [default: half of the machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l conmon-pidfile -d 'Write the monitor\'s pid to this file when the program starts' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l init-path -d 'The init process of `--init`, a program of this machine [default: one of this program\'s own]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l pidfile -d 'Write the program\'s pid to this file when it starts' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l restart -d 'Start the program again when it has ended: `no`, `on-failure[:N]`, `always` or `unless-stopped`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l sdnotify -d 'Who tells the service manager that the container is ready: `container`, its program; `conmon`, this program when that runs; `healthy`, at the first health check that is passed; `ignore`, nobody' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l timeout -d 'Kill the program when it has run for this long; 0: never' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l default-sysctl -d 'Those of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l oom-score-adj -d 'The program\'s preference when memory runs out, from -1000 to 1000: the higher, the sooner it is killed' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l sysctl -d 'Change a setting of the kernel that the container has for itself' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l ulimit -d 'A limit of the program\'s resources, -1 for none; `host`: those of this process' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cgroup-conf -d 'Write a value to a file of the container\'s control group' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cgroup-parent -d 'Have the container\'s control group in this slice of systemd\'s, or below this group' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cgroups -d '`enabled`: a control group of its own; `split`, `no-conmon`: the caller\'s own is divided, as in a unit; `disabled`: none' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l default-pids-limit -d 'That of the configuration' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l blkio-weight -d 'The container\'s share of block devices, from 10 to 1000' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l blkio-weight-device -d 'The same of one device' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cpu-period -d 'The microseconds in which `--cpu-quota` can be used up' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cpu-quota -d 'Microseconds of processors in each period: 0 or less, without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -s c -l cpu-shares -d 'The container\'s share of processors that are all in use; 1024 is the usual one' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cpus -d 'How many processors may be used: `1.5`; 0: all' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cpuset-cpus -d 'Which processors may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cpuset-mems -d 'Which nodes of memory may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l device-read-bps -d 'How many bytes may be read from a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l device-read-iops -d 'How many reads of a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l device-write-bps -d 'How many bytes may be written to a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l device-write-iops -d 'How many writes to a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -s m -l memory -d 'How much memory may be used; 0: without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l memory-reservation -d 'How much of the memory is left to the container when others run short' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l memory-swap -d 'How much memory and swap may be used together, -1: without a limit [default: twice `--memory`]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l memory-swappiness -d '-1 alone: control groups of version 2 have no such setting' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l pids-limit -d 'How many processes there may be: -1 or 0, without a limit [default: 2048]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-cmd -d 'Check in the container whether it is well: a line for its shell, or a JSON list of words; `none`: do not [default: the image\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-interval -d 'Pause between two checks, as `30s`; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-log-destination -d 'Keep what checks find in a file of this directory; `local`: with the container [default: local]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-max-log-count -d 'How many checks are remembered, at most 100; 0: 100 [default: 5]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-max-log-size -d 'How many bytes of the output of each, at most 4000; 0: 4000 [default: 500]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-on-failure -d 'What happens when it is unhealthy: `none`, `kill`, `restart` or `stop` [default: none]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-retries -d 'So many failures in a row make it unhealthy [default: 3]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-start-period -d 'Time after the start in which failures do not count [default: 0s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-startup-cmd -d 'Another command, which must succeed before the checks begin' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-startup-interval -d 'Pause between two runs of it; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-startup-retries -d 'So many failures of it in a row restart the container; 0: none do [default: 0]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-startup-success -d 'So many successes of it are needed [default: 1]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-startup-timeout -d 'A run of it that takes longer is killed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l health-timeout -d 'A check that takes longer is killed, and has failed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l log-driver -d 'Keep the output as `k8s-file` (`json-file` is the same) or in `journald`, or leave it to `none` or `passthrough` [default: k8s-file]' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l log-opt -d '`max-size=SIZE`: keep the last that many bytes, `path=FILE`: in this file, `tag=TEXT`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cgroupns -d '`private`, `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l ipc -d '`shareable`, `private`, `none` (no /dev/shm), `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l pid -d '`private`, `host` or `container:NAME`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l requires -d 'Start these containers first' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l uts -d '`private`, `host`, `container:NAME` or `ns:PATH`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l add-host -d 'Add a line to /etc/hosts' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l dns -d 'Ask this server for names in place of the host\'s; `none`: leave /etc/resolv.conf to the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l dns-option -l dns-opt -d 'An option of resolv.conf(5) in place of the host\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l dns-search -d 'Look for names in this domain in place of the host\'s; `.`: in none' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l expose -d 'Document a port, or a range of ports, that the program listens on' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l hosts-file -d 'Take the lines of this file into /etc/hosts in place of the host\'s; `image`: those of the image\'s own; `none`: no lines' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l default-network-cmd -d 'Who makes the way out where `--network` names nobody' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l default-pasta-option -d 'Words for pasta(1) before those of `--network=pasta:WORD,WORD`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l network -l net -d '`private`: a network of its own with a way out, by `stack`, this program itself, or by `pasta:WORD,WORD`, with words for pasta(1); `none`, `host`, `container:NAME`, `ns:PATH`; or the name of a network that others are on, more than once for several, with `:alias=`, `ip=`, `ip6=`, `mac=`, `interface_name=` behind it' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l ip -d 'The IPv4 address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l ip6 -d 'The IPv6 address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l mac-address -d 'The hardware\'s address on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l network-alias -d 'Another name by which the container is found on its networks' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -s p -l publish -d 'Let a port of this machine, or any that is free, lead to a port of the container, and a range to one as long; with `unix:/PATH:PORT` a socket file, made for this account alone' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cap-add -d 'Give a capability' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l cap-drop -d 'Take a capability away' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l default-capability -d 'Those that the configuration has in place of the usual ones' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l security-opt -d '`no-new-privileges`, `seccomp=FILE` (a profile in JSON) or `seccomp=unconfined`, `mask=PATH:…`, `unmask=ALL` or `unmask=PATH:…`, `proc-opts=OPTION,…`; `label=…` and `apparmor=unconfined` are accepted' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l read-only-tmpfs -d 'With `--read-only`, let /run, /tmp, /var/tmp, /dev and /dev/shm be written to, in memory [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand run" -l shm-size -d 'Size of /dev/shm' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l storage-opt -d '`size=BYTES[bkmgt]`: how much the container may write into its file system' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l image-volume -d 'What becomes of the volumes that the image asks for: `anonymous`, `tmpfs` or `ignore` [default: anonymous]' -r -f -a "anonymous\t''
tmpfs\t''
ignore\t''"
complete -c coracle -n "__fish_coracle_using_subcommand run" -l mount -d 'Mount something, in words: `type=bind|volume|tmpfs|image|glob|devpts,source=…,target=…` and options' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l tmpfs -d 'Mount a tmpfs, which begins with what the image has at its place' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -s v -l volume -d 'Show a volume, or a file or directory of this machine, in the container; with the option `U` its files become the container\'s user\'s, with `mine` yours are shown as that user\'s and stay yours, with `O` what is written is thrown away' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l volumes-from -d 'Mount the volumes and directories that another container has' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l device -d 'Show a device of this machine, or all in a directory, in the container; whether it can be used its own permissions say, and your groups with `--group-add=keep-groups`. `VENDOR/CLASS=NAME`: a device that a file in /etc/cdi describes' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l gpus -d 'As `--device nvidia.com/gpu=NAME`; `all`: all of them' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l default-cdi-spec-dir -d 'Where files that describe devices are looked for, in place of /etc/cdi and /var/run/cdi' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand run" -l device-cgroup-rule -d 'Refused: only the machine\'s root can make such rules' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l secret -d 'Give a secret, as a file in /run/secrets or with `type=env` as a variable; `target=`, `uid=`, `gid=`, `mode=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l gidmap -d 'Map group ids: a group of the container to one of yours; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l subgidname -d 'Map the subordinate group ids of this account, which is to be named: as `--userns=nomap`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l subuidname -d 'Map the subordinate user ids of this account, which is to be named: as `--userns=nomap`' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l uidmap -d 'Map user ids: a user of the container to one of yours; may be given several times' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -l userns -d '`host`: you are root inside; `keep-id`: you are yourself; `auto`: ids that no other container has; `nomap`: all but yours; `container:NAME`: that container\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand run" -s d -l detach -d 'Leave the container running and print its ID'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l rmi -d 'Remove the container when it has ended, and then its image, unless another container uses it'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l explain -d 'Print the steps of the start as JSON instead of carrying them out'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand run" -s i -l interactive -d 'Keep standard input open'
complete -c coracle -n "__fish_coracle_using_subcommand run" -s t -l tty -d 'Give the program a terminal'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l env-host -d 'Take all variables of the environment'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l unsetenv-all -d 'Leave all variables of the image and all default ones out'
complete -c coracle -n "__fish_coracle_using_subcommand run" -s q -l quiet -d 'Print nothing while pulling'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l rootfs -d 'Take a directory of this machine in place of IMAGE as the root file system; `DIRECTORY:O` copy-on-write'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l replace -d 'Take the name from the container that has it, and remove that one; if this one can\'t start, all stays as it was'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l rm -d 'Remove the container when it has ended'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l init -d 'Run the program below an init process, which takes care of orphans and passes signals on'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l no-healthcheck -d 'Do not check, whatever the image says'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l no-hostname -d 'Leave /etc/hostname to the image'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l no-hosts -d 'Leave /etc/hosts to the image'
complete -c coracle -n "__fish_coracle_using_subcommand run" -s P -l publish-all -d 'Publish all exposed ports, on ports of this machine that are free'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l privileged -d 'Give all capabilities of the user namespace, show all of /proc and /sys, filter no system call'
complete -c coracle -n "__fish_coracle_using_subcommand run" -l read-only -d 'Mount the root file system read-only'
complete -c coracle -n "__fish_coracle_using_subcommand start" -l detach-keys -d 'Keys that leave the container and let it run on; an empty text: none do' -r
complete -c coracle -n "__fish_coracle_using_subcommand start" -s f -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand start" -l sig-proxy -d 'Pass signals on to the program (with `--attach`)' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand start" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand start" -l all -d 'All containers'
complete -c coracle -n "__fish_coracle_using_subcommand start" -s a -l attach -d 'Stay with the container, its output and its exit code'
complete -c coracle -n "__fish_coracle_using_subcommand start" -s i -l interactive -d 'Feed standard input to the program (with `--attach`)'
complete -c coracle -n "__fish_coracle_using_subcommand start" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand start" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand stats" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand stats" -s i -l interval -d 'Seconds between two looks' -r
complete -c coracle -n "__fish_coracle_using_subcommand stats" -s a -l all -d 'All containers, not only those that run'
complete -c coracle -n "__fish_coracle_using_subcommand stats" -s l -l latest -d 'Only the container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand stats" -l no-reset -d 'Show what is new below what is old'
complete -c coracle -n "__fish_coracle_using_subcommand stats" -l no-stream -d 'Look once'
complete -c coracle -n "__fish_coracle_using_subcommand stats" -l no-trunc -d 'Whole IDs'
complete -c coracle -n "__fish_coracle_using_subcommand stats" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand stop" -s f -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand stop" -s t -l time -l timeout -d 'Seconds before the kill, -1: never [default: the container\'s, 10]' -r
complete -c coracle -n "__fish_coracle_using_subcommand stop" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand stop" -s a -l all -d 'All running containers'
complete -c coracle -n "__fish_coracle_using_subcommand stop" -s i -l ignore -d 'Names that no container has are no failure'
complete -c coracle -n "__fish_coracle_using_subcommand stop" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand stop" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand top" -s l -l latest -d 'Of the container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand top" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand unpause" -s f -l filter -d 'Only those that fit, as with `ps`' -r
complete -c coracle -n "__fish_coracle_using_subcommand unpause" -l cidfile -d 'Read a container\'s ID from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand unpause" -s a -l all -d 'All that are paused'
complete -c coracle -n "__fish_coracle_using_subcommand unpause" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand unpause" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-cmd -d 'Check in the container whether it is well: a line for its shell, or a JSON list of words; `none`: do not [default: the image\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-interval -d 'Pause between two checks, as `30s`; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-log-destination -d 'Keep what checks find in a file of this directory; `local`: with the container [default: local]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-max-log-count -d 'How many checks are remembered, at most 100; 0: 100 [default: 5]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-max-log-size -d 'How many bytes of the output of each, at most 4000; 0: 4000 [default: 500]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-on-failure -d 'What happens when it is unhealthy: `none`, `kill`, `restart` or `stop` [default: none]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-retries -d 'So many failures in a row make it unhealthy [default: 3]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-start-period -d 'Time after the start in which failures do not count [default: 0s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-startup-cmd -d 'Another command, which must succeed before the checks begin' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-startup-interval -d 'Pause between two runs of it; `disable`: only when asked [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-startup-retries -d 'So many failures of it in a row restart the container; 0: none do [default: 0]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-startup-success -d 'So many successes of it are needed [default: 1]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-startup-timeout -d 'A run of it that takes longer is killed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l health-timeout -d 'A check that takes longer is killed, and has failed [default: 30s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l blkio-weight -d 'The container\'s share of block devices, from 10 to 1000' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l blkio-weight-device -d 'The same of one device' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l cpu-period -d 'The microseconds in which `--cpu-quota` can be used up' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l cpu-quota -d 'Microseconds of processors in each period: 0 or less, without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -s c -l cpu-shares -d 'The container\'s share of processors that are all in use; 1024 is the usual one' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l cpus -d 'How many processors may be used: `1.5`; 0: all' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l cpuset-cpus -d 'Which processors may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l cpuset-mems -d 'Which nodes of memory may be used' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l device-read-bps -d 'How many bytes may be read from a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l device-read-iops -d 'How many reads of a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l device-write-bps -d 'How many bytes may be written to a device each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l device-write-iops -d 'How many writes to a device there may be each second' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -s m -l memory -d 'How much memory may be used; 0: without a limit' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l memory-reservation -d 'How much of the memory is left to the container when others run short' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l memory-swap -d 'How much memory and swap may be used together, -1: without a limit [default: twice `--memory`]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l memory-swappiness -d '-1 alone: control groups of version 2 have no such setting' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l pids-limit -d 'How many processes there may be: -1 or 0, without a limit [default: 2048]' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l restart -d 'Start the program again when it has ended: `no`, `on-failure[:N]`, `always` or `unless-stopped`' -r
complete -c coracle -n "__fish_coracle_using_subcommand update" -l no-healthcheck -d 'Do not check, whatever the image says'
complete -c coracle -n "__fish_coracle_using_subcommand update" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand wait" -l condition -d 'Wait for this: `created`, `running`, `exited`, `removing`, `healthy`, … [default: exited]' -r
complete -c coracle -n "__fish_coracle_using_subcommand wait" -s i -l interval -d 'Look this often for what tells nobody of a change, in milliseconds or as `5s`' -r
complete -c coracle -n "__fish_coracle_using_subcommand wait" -l exit-first-match -d 'Wait until one of the containers is so, not for each in turn'
complete -c coracle -n "__fish_coracle_using_subcommand wait" -l ignore -d 'Names that no container has are no failure: their code is -1'
complete -c coracle -n "__fish_coracle_using_subcommand wait" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand wait" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand doctor" -l format -d 'Print as `json`' -r -f -a "json\t''"
complete -c coracle -n "__fish_coracle_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand events" -s f -l filter -d 'Only events that fit: `container=`, `event=`, `image=`, `label=`, `type=`, `volume=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand events" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand events" -l no-trunc -d 'Whole IDs' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand events" -l since -d 'From this time on: RFC 3339, seconds since 1970, or how long ago (`10m`)' -r
complete -c coracle -n "__fish_coracle_using_subcommand events" -l stream -d 'Go on as events happen; `false`: end with the last that is known' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand events" -l until -d 'Up to this time' -r
complete -c coracle -n "__fish_coracle_using_subcommand events" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand info" -s f -l format -d 'Print as `json`, or by a Go template: \'{{.Store.GraphRoot}}\'' -r
complete -c coracle -n "__fish_coracle_using_subcommand info" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand system; and not __fish_seen_subcommand_from check df events info migrate prune renumber reset" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand system; and not __fish_seen_subcommand_from check df events info migrate prune renumber reset" -f -a "check" -d 'Look whether images, layers, containers, volumes, secrets and networks are whole'
complete -c coracle -n "__fish_coracle_using_subcommand system; and not __fish_seen_subcommand_from check df events info migrate prune renumber reset" -f -a "df" -d 'Show how much disk images, containers and volumes take'
complete -c coracle -n "__fish_coracle_using_subcommand system; and not __fish_seen_subcommand_from check df events info migrate prune renumber reset" -f -a "events" -d 'Show what happens to containers, images and volumes, as it happens'
complete -c coracle -n "__fish_coracle_using_subcommand system; and not __fish_seen_subcommand_from check df events info migrate prune renumber reset" -f -a "info" -d 'Show facts about this machine, this account and the store'
complete -c coracle -n "__fish_coracle_using_subcommand system; and not __fish_seen_subcommand_from check df events info migrate prune renumber reset" -f -a "migrate" -d 'Nothing to do: records of earlier versions are read as they are'
complete -c coracle -n "__fish_coracle_using_subcommand system; and not __fish_seen_subcommand_from check df events info migrate prune renumber reset" -f -a "prune" -d 'Remove all containers that do not run, and images that nobody uses'
complete -c coracle -n "__fish_coracle_using_subcommand system; and not __fish_seen_subcommand_from check df events info migrate prune renumber reset" -f -a "renumber" -d 'Nothing to do: locks have no numbers'
complete -c coracle -n "__fish_coracle_using_subcommand system; and not __fish_seen_subcommand_from check df events info migrate prune renumber reset" -f -a "reset" -d 'Remove all containers, images, volumes and networks'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from check" -s m -l max -d 'How old something may be that nothing uses' -r
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from check" -s f -l force -d 'Remove damaged containers, volumes, secrets and networks, too'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from check" -s q -l quick -d 'Do not read every file'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from check" -s r -l repair -d 'Mend what can be mended, remove damaged images and layers for which that is not possible, and what is old and unused'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from df" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from df" -s v -l verbose -d 'Each image, container and volume'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from df" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from events" -s f -l filter -d 'Only events that fit: `container=`, `event=`, `image=`, `label=`, `type=`, `volume=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from events" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from events" -l no-trunc -d 'Whole IDs' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from events" -l since -d 'From this time on: RFC 3339, seconds since 1970, or how long ago (`10m`)' -r
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from events" -l stream -d 'Go on as events happen; `false`: end with the last that is known' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from events" -l until -d 'Up to this time' -r
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from events" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from info" -s f -l format -d 'Print as `json`, or by a Go template: \'{{.Store.GraphRoot}}\'' -r
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from migrate" -l new-runtime -d 'Accepted for scripts' -r
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from migrate" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from prune" -l filter -d 'Only what fits: `label=NAME[=VALUE]`, `label!=…`, `until=TIME` (made before then)' -r
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from prune" -s a -l all -d 'All images that no container uses, not only those without a name'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from prune" -l build -d 'Accepted for scripts: there is nothing of that kind'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from prune" -l external
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not ask'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from prune" -l volumes -d 'Volumes that no container uses, too'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from renumber" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from reset" -s f -l force -d 'Do not ask'
complete -c coracle -n "__fish_coracle_using_subcommand system; and __fish_seen_subcommand_from reset" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand unshare" -l rootless-netns -d 'Refused: no network namespace is shared by containers'
complete -c coracle -n "__fish_coracle_using_subcommand unshare" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand version" -s f -l format -d 'Print as `json`, or by a Go template: \'{{.Client.Version}}\'' -r
complete -c coracle -n "__fish_coracle_using_subcommand version" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand generate" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand history" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand history" -s H -l human -d 'Times as how long ago; `false`: as dates [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand history" -l no-trunc -d 'Show whole ids and commands'
complete -c coracle -n "__fish_coracle_using_subcommand history" -s q -l quiet -d 'Show only the ids'
complete -c coracle -n "__fish_coracle_using_subcommand history" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "diff" -d 'Show what the topmost layer of an image changed'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "exists" -d 'Tell by the exit code whether an image is here: 0 yes, 1 no'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "history" -d 'Show how an image was made'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "import" -d 'Make an image of a tar archive of a file system'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "inspect" -d 'Show all about images'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "load" -d 'Load images from an archive'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "ls" -d 'List images'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "list" -d 'List images'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "mount" -d 'Mount images, read-only, for programs that `unshare` runs; without a name, show what is mounted'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "prune" -d 'Remove images that have no name, or all that no container uses'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "pull" -d 'Pull images from a registry'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "push" -d 'Push an image to a registry'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "rm" -d 'Remove images, or names of images that have several'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "save" -d 'Save images to an archive'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "scp" -d 'Copy an image from or to another machine, or between two, through ssh'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "tag" -d 'Give an image more names'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "tree" -d 'Show the layers of an image'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "unmount" -d 'Unmount images'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "umount" -d 'Unmount images'
complete -c coracle -n "__fish_coracle_using_subcommand image; and not __fish_seen_subcommand_from diff exists history import inspect load ls list mount prune pull push rm save scp tag tree unmount umount untag" -f -a "untag" -d 'Take names away from an image, which itself stays'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from diff" -l format -d '`json`: three lists instead of lines' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from history" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from history" -s H -l human -d 'Times as how long ago; `false`: as dates [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from history" -l no-trunc -d 'Show whole ids and commands'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from history" -s q -l quiet -d 'Show only the ids'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from import" -l arch -d 'The architecture that its programs are for [default: this machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from import" -s c -l change -d 'Change the image\'s config by an instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from import" -s m -l message -d 'A message for the image\'s history' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from import" -l os -d 'The operating system that its programs are for [default: linux]' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from import" -l variant -d 'The variant of the architecture' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from import" -s q -l quiet -d 'Show nothing but the ID'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Show what a Go template says of each, or `json`' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from load" -s i -l input -d 'The archive, in any of the formats that `save` writes, compressed with gzip, bzip2, xz, zstd or not at all [default: standard input]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from load" -l signature-policy -d 'Take the policy from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from load" -l max-layer-size -d 'Refuse a layer that unpacks to more [default: nine tenths of what the disk has free]' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from load" -s q -l quiet -d 'Show nothing but what was loaded'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from load" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Show only these: `after=IMAGE`, `before=IMAGE`, `containers=BOOL`, `dangling=BOOL`, `digest=START`, `id=START`, `intermediate=BOOL`, `label=KEY[=VALUE]`, `manifest=BOOL`, `readonly=BOOL`, `reference=PATTERN`, `since=IMAGE`, `until=TIME`; with `!=` all others' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from ls" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from ls" -l sort -d 'What to sort by: `created`, `id`, `repository`, `size` or `tag`' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from ls" -s a -l all -d 'Show also what is left of an image of which a newer form is here'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from ls" -l digests -d 'Show the digests of the manifests too'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from ls" -l history -d 'Show all names of each image, too'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'Leave out the heading'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Show whole ids'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Show only the ids'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from list" -s f -l filter -d 'Show only these: `after=IMAGE`, `before=IMAGE`, `containers=BOOL`, `dangling=BOOL`, `digest=START`, `id=START`, `intermediate=BOOL`, `label=KEY[=VALUE]`, `manifest=BOOL`, `readonly=BOOL`, `reference=PATTERN`, `since=IMAGE`, `until=TIME`; with `!=` all others' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from list" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from list" -l sort -d 'What to sort by: `created`, `id`, `repository`, `size` or `tag`' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from list" -s a -l all -d 'Show also what is left of an image of which a newer form is here'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from list" -l digests -d 'Show the digests of the manifests too'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from list" -l history -d 'Show all names of each image, too'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from list" -s n -l noheading -d 'Leave out the heading'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from list" -l no-trunc -d 'Show whole ids'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Show only the ids'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from mount" -l format -d '`json`' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from mount" -s a -l all -d 'Mount all images'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from mount" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from prune" -l filter -d 'Only images that fit: `label=NAME[=VALUE]`, `label!=…`, `until=TIME` (made before then)' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from prune" -s a -l all -d 'Those with names, too'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from prune" -l build-cache -d 'Accepted for scripts: there is no such cache'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from prune" -l external -d 'Accepted for scripts: other programs\' containers are never in this store'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not ask'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l platform -d 'The platform of the image: `os/architecture` or `os/architecture/variant` [default: this machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l signature-policy -d 'Take the policy from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l arch -d 'The architecture of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l os -d 'The operating system of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l variant -d 'The variant of the architecture' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l max-layer-size -d 'Refuse a layer that unpacks to more [default: nine tenths of what the disk has free]' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -s a -l all-tags -d 'Pull all images of the repository that have a tag'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -l no-artifacts -d 'Refuse artifacts: somebody wants to run it'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -s q -l quiet -d 'Show nothing but the ids'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from pull" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l compression-format -d 'How layers are compressed [default: as they are]' -r -f -a "gzip\t''
zstd\t''"
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l compression-level -d 'The level of compression: 1 to 9 with gzip, 1 to 20 with zstd' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l default-compression-format -d 'How layers are compressed where no flag says it' -r -f -a "gzip\t''
zstd\t''"
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l default-compression-level -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l force-compression -d '`false`: layers that the registry has as they are stay so [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -s f -l format -d 'The format of the manifest: `oci` or `v2s2` [default: the image\'s own]' -r -f -a "oci\t''
v2s2\t''"
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l digestfile -d 'Write the digest of what was pushed to this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l sign-by -d 'Not done here: see the error' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l encryption-key -d 'Not done here: see the error' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -s q -l quiet -d 'Show no progress'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l remove-signatures -d 'Accepted for scripts: signatures are not kept here'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l disable-content-trust -d 'Accepted for scripts'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -s a -l all-tags -d 'Push all images that have a name in the repository IMAGE, each with its tag'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -l compress -d 'Compress layers that are not; with `dir:` alone'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from push" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from rm" -s a -l all -d 'Remove all images'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from rm" -s f -l force -d 'Remove all names of an image, and an image that containers use together with these'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'An image that is not here is no failure'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from rm" -l no-prune -d 'Accepted for scripts; parents of an image are never images of their own here'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from save" -l format -d '`docker-archive` and `oci-archive` are files, `docker-dir` and `oci-dir` directories' -r
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from save" -s o -l output -d 'Write to this file or directory, which appears when it is whole [default: standard output]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from save" -l compress -d 'Compress layers that are not; with `docker-dir` alone'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from save" -s m -l multi-image-archive -d 'All arguments are images, not names for the first of them; with `docker-archive` alone'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from save" -s q -l quiet -d 'Show no progress'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from save" -l uncompressed -d 'Accepted for scripts: layers are saved as they are kept anyway'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from save" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from scp" -s q -l quiet -d 'Show no progress'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from scp" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from tag" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from tree" -l whatrequires -d 'Show what stands on the image\'s topmost layer, too'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from tree" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from unmount" -s a -l all -d 'Unmount all that are mounted'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from unmount" -s f -l force -d 'Accepted for scripts: nobody else can have mounted them here'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from unmount" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from umount" -s a -l all -d 'Unmount all that are mounted'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from umount" -s f -l force -d 'Accepted for scripts: nobody else can have mounted them here'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from umount" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand image; and __fish_seen_subcommand_from untag" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand login" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand login" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand login" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand login" -l compat-auth-file -d 'Write the credentials into this file of Docker\'s instead' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand login" -s p -l password -d 'The password' -r
complete -c coracle -n "__fish_coracle_using_subcommand login" -l secret -d 'Take the password from this secret; its name is the user\'s where no other is given' -r
complete -c coracle -n "__fish_coracle_using_subcommand login" -s u -l username -d 'The user' -r
complete -c coracle -n "__fish_coracle_using_subcommand login" -l get-login -d 'Print the user that is logged in, and nothing else'
complete -c coracle -n "__fish_coracle_using_subcommand login" -l password-stdin -d 'Read the password from standard input'
complete -c coracle -n "__fish_coracle_using_subcommand login" -s v -l verbose -d 'Say where the credentials are kept'
complete -c coracle -n "__fish_coracle_using_subcommand login" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand logout" -l authfile -d 'Change this file of credentials' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand logout" -l compat-auth-file -d 'Change this file of Docker\'s' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand logout" -s a -l all -d 'Forget the credentials for all registries'
complete -c coracle -n "__fish_coracle_using_subcommand logout" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand search" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand search" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand search" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand search" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand search" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand search" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand search" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand search" -s f -l filter -d 'Only those that fit: `stars=NUMBER`, `is-official[=BOOL]`, `is-automated[=BOOL]`' -r
complete -c coracle -n "__fish_coracle_using_subcommand search" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand search" -l limit -d 'So many results of each registry [default: 25]' -r
complete -c coracle -n "__fish_coracle_using_subcommand search" -l compatible -d 'Show stars, official and automated images, as Docker does'
complete -c coracle -n "__fish_coracle_using_subcommand search" -l list-tags -d 'List the tags of the repository that TERM names'
complete -c coracle -n "__fish_coracle_using_subcommand search" -l no-trunc -d 'Show descriptions whole'
complete -c coracle -n "__fish_coracle_using_subcommand search" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand images" -s f -l filter -d 'Show only these: `after=IMAGE`, `before=IMAGE`, `containers=BOOL`, `dangling=BOOL`, `digest=START`, `id=START`, `intermediate=BOOL`, `label=KEY[=VALUE]`, `manifest=BOOL`, `readonly=BOOL`, `reference=PATTERN`, `since=IMAGE`, `until=TIME`; with `!=` all others' -r
complete -c coracle -n "__fish_coracle_using_subcommand images" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand images" -l sort -d 'What to sort by: `created`, `id`, `repository`, `size` or `tag`' -r
complete -c coracle -n "__fish_coracle_using_subcommand images" -s a -l all -d 'Show also what is left of an image of which a newer form is here'
complete -c coracle -n "__fish_coracle_using_subcommand images" -l digests -d 'Show the digests of the manifests too'
complete -c coracle -n "__fish_coracle_using_subcommand images" -l history -d 'Show all names of each image, too'
complete -c coracle -n "__fish_coracle_using_subcommand images" -s n -l noheading -d 'Leave out the heading'
complete -c coracle -n "__fish_coracle_using_subcommand images" -l no-trunc -d 'Show whole ids'
complete -c coracle -n "__fish_coracle_using_subcommand images" -s q -l quiet -d 'Show only the ids'
complete -c coracle -n "__fish_coracle_using_subcommand images" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand import" -l arch -d 'The architecture that its programs are for [default: this machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand import" -s c -l change -d 'Change the image\'s config by an instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR' -r
complete -c coracle -n "__fish_coracle_using_subcommand import" -s m -l message -d 'A message for the image\'s history' -r
complete -c coracle -n "__fish_coracle_using_subcommand import" -l os -d 'The operating system that its programs are for [default: linux]' -r
complete -c coracle -n "__fish_coracle_using_subcommand import" -l variant -d 'The variant of the architecture' -r
complete -c coracle -n "__fish_coracle_using_subcommand import" -s q -l quiet -d 'Show nothing but the ID'
complete -c coracle -n "__fish_coracle_using_subcommand import" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand load" -s i -l input -d 'The archive, in any of the formats that `save` writes, compressed with gzip, bzip2, xz, zstd or not at all [default: standard input]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand load" -l signature-policy -d 'Take the policy from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand load" -l max-layer-size -d 'Refuse a layer that unpacks to more [default: nine tenths of what the disk has free]' -r
complete -c coracle -n "__fish_coracle_using_subcommand load" -s q -l quiet -d 'Show nothing but what was loaded'
complete -c coracle -n "__fish_coracle_using_subcommand load" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "add" -d 'Add images to a list, or an artifact made of files'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "annotate" -d 'Change what a list says of an image, or of itself'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "create" -d 'Make a list, with images if they are named'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "exists" -d 'Tell by the exit code whether a list is here: 0 yes, 1 no'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "inspect" -d 'Show a list'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "push" -d 'Push a list and its images to a registry or an archive'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "remove" -d 'Take an image out of a list'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and not __fish_seen_subcommand_from add annotate create exists inspect push remove rm" -f -a "rm" -d 'Remove lists; their images stay where they have names of their own'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l artifact-config -d 'The file that is the artifact\'s config [default: an empty one]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l artifact-config-type -d 'The media type of the artifact\'s config' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l artifact-layer-type -d 'The media type of the files [default: what they begin with tells it]' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l artifact-subject -d 'The image that the artifact belongs to' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l artifact-type -d 'What the artifact is, as a media type [default: application/vnd.unknown.artifact.v1]' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l annotation -d 'Say this of the image: `KEY=VALUE`' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l arch -d 'The architecture that the list says the image is for' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l features -d 'Features of the processor that the list says the image needs' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l os -d 'The operating system that the list says the image is for' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l os-version -d 'The version of the operating system that the list says the image is for' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l variant -d 'The variant of the architecture that the list says the image is for' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l all -d 'Of an image that is itself a list, add all images'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l artifact -d 'The arguments are files, of which one artifact is made and added'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -l artifact-exclude-titles -d 'Do not keep the names of the files'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l annotation -d 'Say this of the image: `KEY=VALUE`' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l arch -d 'The architecture that the list says the image is for' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l features -d 'Features of the processor that the list says the image needs' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l os -d 'The operating system that the list says the image is for' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l os-version -d 'The version of the operating system that the list says the image is for' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l variant -d 'The variant of the architecture that the list says the image is for' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l subject -d 'The image that the list belongs to, with `--index`' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l os-features -d 'Features of the operating system that the list says the image needs' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -l index -d 'The annotations are the list\'s own'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from annotate" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -l annotation -d 'Say this of the list: `KEY=VALUE`' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -l all -d 'Of an image that is itself a list, add all images'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -s a -l amend -d 'Go on with the list if there is one of this name'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l add-compression -d 'Push each image with its layers in this compression, too, and let the list name both' -r -f -a "gzip\t''
zstd\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l all -d '`false`: push the list alone; the registry has its images already [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l compression-format -d 'How layers are compressed [default: as they are]' -r -f -a "gzip\t''
zstd\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l compression-level -d 'The level of compression: 1 to 9 with gzip, 1 to 20 with zstd' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l default-compression-format -d 'How layers are compressed where no flag says it' -r -f -a "gzip\t''
zstd\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l default-compression-level -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l force-compression -d '`false`: layers that the registry has as they are stay so [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -s f -l format -d 'The format of the manifest: `oci` or `v2s2` [default: the image\'s own]' -r -f -a "oci\t''
v2s2\t''"
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l digestfile -d 'Write the digest of what was pushed to this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l sign-by -d 'Not done here: see the error' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l encryption-key -d 'Not done here: see the error' -r
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l rm -d 'Remove the list here once it is there'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -s q -l quiet -d 'Show no progress'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l remove-signatures -d 'Accepted for scripts: signatures are not kept here'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -l disable-content-trust -d 'Accepted for scripts'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from push" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'A list that is not here is no failure'
complete -c coracle -n "__fish_coracle_using_subcommand manifest; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "connect" -d 'Put a container on one more network'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "create" -d 'Make a network on which containers find each other'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "disconnect" -d 'Take a container off a network'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "exists" -d 'Tell by the exit code whether a network exists: 0 or 1'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "inspect" -d 'Show everything about networks'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "ls" -d 'List networks'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "list" -d 'List networks'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "prune" -d 'Remove all networks that no container uses'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "reload" -d 'Write anew where running containers look for names, after this machine\'s network has changed'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "rm" -d 'Remove networks'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "remove" -d 'Remove networks'
complete -c coracle -n "__fish_coracle_using_subcommand network; and not __fish_seen_subcommand_from connect create disconnect exists inspect ls list prune reload rm remove update" -f -a "update" -d 'Change whom a network asks for other names, also for containers that run'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from connect" -l alias -d 'Another name by which the container is found there' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from connect" -l ip -d 'Its IPv4 address there' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from connect" -l ip6 -d 'Its IPv6 address there' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from connect" -l mac-address -d 'The hardware\'s address there' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from connect" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l dns -d 'Ask this server for other names in place of the host\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -s d -l driver -d '`bridge`, the only one' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l gateway -d 'The bridge\'s address in the subnet [default: the first]' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l ip-range -d 'Which addresses of the subnet containers get: `10.1.1.128/25`, or `10.1.1.128-10.1.1.159`' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l subnet -d 'Its addresses, `10.1.1.0/24`; once more for others [default: the first of 10.89.0.0/24, 10.89.1.0/24, … that is free]' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l interface-name -d 'The name of its bridge [default: podman1, podman2, …]' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l ipam-driver -d '`host-local`, the only one' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l label -d 'Set a label' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -s o -l opt -d '`mtu=BYTES`: the largest packet; `isolate=true`, as all networks are' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l route -d 'A way that its containers know: through a machine on the network' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l disable-dns -d 'Containers\' names are not known on it'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l ipv6 -d 'Addresses of IPv6, too'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l ignore -d 'One of this name that is there already is no failure'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -l internal -d 'Its containers reach each other and nothing else'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from disconnect" -s f -l force -d 'Accepted for scripts'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from disconnect" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from inspect" -s f -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Only those that fit: `name=`, `id=`, `driver=`, `label=`, `label!=`, `until=`, `dangling=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from ls" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Whole IDs'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only names'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from list" -s f -l filter -d 'Only those that fit: `name=`, `id=`, `driver=`, `label=`, `label!=`, `until=`, `dangling=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from list" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from list" -l no-trunc -d 'Whole IDs'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from list" -s n -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only names'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from prune" -l filter -d 'Only those that fit: `label=`, `label!=`, `until=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not ask'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from reload" -s a -l all -d 'All that run and have a network of their own'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from reload" -s l -l latest -d 'The container that was created last'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from reload" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from rm" -s t -l time -d 'Seconds before the kill of a container that runs, -1: never [default: the container\'s, 10]' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from rm" -s f -l force -d 'Containers on them go first; names that no network has are no failure'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from remove" -s t -l time -d 'Seconds before the kill of a container that runs, -1: never [default: the container\'s, 10]' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from remove" -s f -l force -d 'Containers on them go first; names that no network has are no failure'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from update" -l dns-add -d 'Ask these servers, too, in place of the host\'s' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from update" -l dns-drop -d 'Ask these no more' -r
complete -c coracle -n "__fish_coracle_using_subcommand network; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and not __fish_seen_subcommand_from exists inspect ls list ps prune rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and not __fish_seen_subcommand_from exists inspect ls list ps prune rm" -f -a "exists" -d 'Tell by the exit code whether a pod exists: 1'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and not __fish_seen_subcommand_from exists inspect ls list ps prune rm" -f -a "inspect" -d 'Show everything about pods'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and not __fish_seen_subcommand_from exists inspect ls list ps prune rm" -f -a "ls" -d 'List pods'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and not __fish_seen_subcommand_from exists inspect ls list ps prune rm" -f -a "list" -d 'List pods'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and not __fish_seen_subcommand_from exists inspect ls list ps prune rm" -f -a "ps" -d 'List pods'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and not __fish_seen_subcommand_from exists inspect ls list ps prune rm" -f -a "prune" -d 'Remove all pods that do not run'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and not __fish_seen_subcommand_from exists inspect ls list ps prune rm" -f -a "rm" -d 'Remove pods'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Only those that fit' -r
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ls" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Whole IDs'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only names'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from list" -s f -l filter -d 'Only those that fit' -r
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from list" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from list" -s n -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from list" -l no-trunc -d 'Whole IDs'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only names'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ps" -s f -l filter -d 'Only those that fit' -r
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ps" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ps" -s n -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ps" -l no-trunc -d 'Whole IDs'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ps" -s q -l quiet -d 'Only names'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from ps" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not ask'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from rm" -s a -l all -d 'All pods'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from rm" -s f -l force -d 'What is not there is no error'
complete -c coracle -n "__fish_coracle_using_subcommand pod; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and not __fish_seen_subcommand_from install list ls print rm" -l dryrun -d 'Print the units, and write none'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and not __fish_seen_subcommand_from install list ls print rm" -l user -d 'Those of this user, which are the only ones that there are'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and not __fish_seen_subcommand_from install list ls print rm" -l no-kmsg-log -d 'Complain on standard error, as is always done'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and not __fish_seen_subcommand_from install list ls print rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and not __fish_seen_subcommand_from install list ls print rm" -a "install" -d 'Copy files into the folder of this account\'s quadlets, and write their units'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and not __fish_seen_subcommand_from install list ls print rm" -a "list" -d 'List quadlets'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and not __fish_seen_subcommand_from install list ls print rm" -a "ls" -d 'List quadlets'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and not __fish_seen_subcommand_from install list ls print rm" -a "print" -d 'Show a quadlet'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and not __fish_seen_subcommand_from install list ls print rm" -a "rm" -d 'Remove quadlets of this account, and their units'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from install" -l reload-systemd -d 'Have the service manager read its units again' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from install" -l replace -d 'In place of those of the same names that are there'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from list" -l format -d '`json`' -r
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from ls" -l format -d '`json`' -r
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from print" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from rm" -l reload-systemd -d 'Have the service manager read its units again' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from rm" -s a -l all -d 'All of them'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from rm" -s f -l force -d 'Stop the units before'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'What is not there is no error'
complete -c coracle -n "__fish_coracle_using_subcommand quadlet; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand unit" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l platform -d 'The platform of the image: `os/architecture` or `os/architecture/variant` [default: this machine\'s]' -r
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l signature-policy -d 'Take the policy from this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l arch -d 'The architecture of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l os -d 'The operating system of the image' -r
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l variant -d 'The variant of the architecture' -r
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l max-layer-size -d 'Refuse a layer that unpacks to more [default: nine tenths of what the disk has free]' -r
complete -c coracle -n "__fish_coracle_using_subcommand pull" -s a -l all-tags -d 'Pull all images of the repository that have a tag'
complete -c coracle -n "__fish_coracle_using_subcommand pull" -l no-artifacts -d 'Refuse artifacts: somebody wants to run it'
complete -c coracle -n "__fish_coracle_using_subcommand pull" -s q -l quiet -d 'Show nothing but the ids'
complete -c coracle -n "__fish_coracle_using_subcommand pull" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand push" -l tls-verify -d 'Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true, but plain HTTP for a registry on this machine]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand push" -l authfile -d 'Look for credentials in this file alone' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand push" -l cert-dir -d 'Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand push" -l creds -d 'Log in to the registry with these' -r
complete -c coracle -n "__fish_coracle_using_subcommand push" -l stall-timeout -d 'Give up on a registry that sends nothing for so many seconds' -r
complete -c coracle -n "__fish_coracle_using_subcommand push" -l retry -d 'Try so often again what failed for a reason that may pass' -r
complete -c coracle -n "__fish_coracle_using_subcommand push" -l retry-delay -d 'Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]' -r
complete -c coracle -n "__fish_coracle_using_subcommand push" -l compression-format -d 'How layers are compressed [default: as they are]' -r -f -a "gzip\t''
zstd\t''"
complete -c coracle -n "__fish_coracle_using_subcommand push" -l compression-level -d 'The level of compression: 1 to 9 with gzip, 1 to 20 with zstd' -r
complete -c coracle -n "__fish_coracle_using_subcommand push" -l default-compression-format -d 'How layers are compressed where no flag says it' -r -f -a "gzip\t''
zstd\t''"
complete -c coracle -n "__fish_coracle_using_subcommand push" -l default-compression-level -r
complete -c coracle -n "__fish_coracle_using_subcommand push" -l force-compression -d '`false`: layers that the registry has as they are stay so [default: true]' -r -f -a "true\t''
false\t''"
complete -c coracle -n "__fish_coracle_using_subcommand push" -s f -l format -d 'The format of the manifest: `oci` or `v2s2` [default: the image\'s own]' -r -f -a "oci\t''
v2s2\t''"
complete -c coracle -n "__fish_coracle_using_subcommand push" -l digestfile -d 'Write the digest of what was pushed to this file' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand push" -l sign-by -d 'Not done here: see the error' -r
complete -c coracle -n "__fish_coracle_using_subcommand push" -l encryption-key -d 'Not done here: see the error' -r
complete -c coracle -n "__fish_coracle_using_subcommand push" -s q -l quiet -d 'Show no progress'
complete -c coracle -n "__fish_coracle_using_subcommand push" -l remove-signatures -d 'Accepted for scripts: signatures are not kept here'
complete -c coracle -n "__fish_coracle_using_subcommand push" -l disable-content-trust -d 'Accepted for scripts'
complete -c coracle -n "__fish_coracle_using_subcommand push" -s a -l all-tags -d 'Push all images that have a name in the repository IMAGE, each with its tag'
complete -c coracle -n "__fish_coracle_using_subcommand push" -l compress -d 'Compress layers that are not; with `dir:` alone'
complete -c coracle -n "__fish_coracle_using_subcommand push" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand rmi" -s a -l all -d 'Remove all images'
complete -c coracle -n "__fish_coracle_using_subcommand rmi" -s f -l force -d 'Remove all names of an image, and an image that containers use together with these'
complete -c coracle -n "__fish_coracle_using_subcommand rmi" -s i -l ignore -d 'An image that is not here is no failure'
complete -c coracle -n "__fish_coracle_using_subcommand rmi" -l no-prune -d 'Accepted for scripts; parents of an image are never images of their own here'
complete -c coracle -n "__fish_coracle_using_subcommand rmi" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand save" -l format -d '`docker-archive` and `oci-archive` are files, `docker-dir` and `oci-dir` directories' -r
complete -c coracle -n "__fish_coracle_using_subcommand save" -s o -l output -d 'Write to this file or directory, which appears when it is whole [default: standard output]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand save" -l compress -d 'Compress layers that are not; with `docker-dir` alone'
complete -c coracle -n "__fish_coracle_using_subcommand save" -s m -l multi-image-archive -d 'All arguments are images, not names for the first of them; with `docker-archive` alone'
complete -c coracle -n "__fish_coracle_using_subcommand save" -s q -l quiet -d 'Show no progress'
complete -c coracle -n "__fish_coracle_using_subcommand save" -l uncompressed -d 'Accepted for scripts: layers are saved as they are kept anyway'
complete -c coracle -n "__fish_coracle_using_subcommand save" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand tag" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand untag" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and not __fish_seen_subcommand_from create exists inspect ls list rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and not __fish_seen_subcommand_from create exists inspect ls list rm" -f -a "create" -d 'Keep a secret, to be given to containers with `--secret`'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and not __fish_seen_subcommand_from create exists inspect ls list rm" -f -a "exists" -d 'Tell by the exit code whether a secret exists: 0 or 1'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and not __fish_seen_subcommand_from create exists inspect ls list rm" -f -a "inspect" -d 'Show everything about secrets but what they are'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and not __fish_seen_subcommand_from create exists inspect ls list rm" -f -a "ls" -d 'List secrets'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and not __fish_seen_subcommand_from create exists inspect ls list rm" -f -a "list" -d 'List secrets'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and not __fish_seen_subcommand_from create exists inspect ls list rm" -f -a "rm" -d 'Remove secrets; containers that have them keep what they have'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from create" -s d -l driver -d '`file`: in the store, in a file that only you can read' -r
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from create" -l driver-opts -d 'Kept for `inspect`; the driver `file` needs none' -r
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from create" -s l -l label -d 'Set a label' -r
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from create" -l env -d 'Take it from the environment variable of that name instead of a file'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from create" -l replace -d 'Take the place of one of this name; containers that have it keep what they have'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from inspect" -s f -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from inspect" -l pretty -d 'In lines'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from inspect" -l showsecret -d 'What it is, too'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Only those that fit: `name=`, `id=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from ls" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only IDs'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from list" -s f -l filter -d 'Only those that fit: `name=`, `id=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from list" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from list" -s n -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only IDs'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from rm" -s a -l all -d 'All secrets'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'Names that no secret has are no failure'
complete -c coracle -n "__fish_coracle_using_subcommand secret; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "create" -d 'Make a volume, which outlives the containers that use it'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "exists" -d 'Tell by the exit code whether a volume exists: 0 or 1'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "export" -d 'Write what is in a volume as a tar archive'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "import" -d 'Put what a tar archive holds into a volume, beside what is there'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "inspect" -d 'Show everything about volumes'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "ls" -d 'List volumes'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "list" -d 'List volumes'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "mount" -d 'Refused: a volume is mounted in containers only'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "prune" -d 'Remove all volumes that no container uses'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "reload" -d 'Accepted for scripts: there are no volume plugins to be asked for their volumes'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "rm" -d 'Remove volumes'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and not __fish_seen_subcommand_from create exists export import inspect ls list mount prune reload rm unmount" -f -a "unmount" -d 'Accepted for scripts: no volume is mounted outside of containers'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from create" -s d -l driver -d '`local`: in the store, in memory, or a directory of this machine' -r
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from create" -s l -l label -d 'Set a label' -r
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from create" -s o -l opt -d '`type=tmpfs`, or `type=none` and `device=DIRECTORY` with `o=bind`; further options in `o=`, such as `uid=`, `gid=`, `nocopy`' -r
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from create" -l ignore -d 'One of this name that is there already is no failure'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from export" -s o -l output -d 'To this file, which appears when it is whole [default: standard output]' -r -F
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s f -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s a -l all -d 'All volumes'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Only those that fit: `name=`, `label=`, `label!=`, `opt=`, `dangling=`, `until=`, `since=`, `anonymous=`, `driver=`, `scope=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from ls" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only names'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from list" -s f -l filter -d 'Only those that fit: `name=`, `label=`, `label!=`, `opt=`, `dangling=`, `until=`, `since=`, `anonymous=`, `driver=`, `scope=`' -r
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from list" -l format -d '`json`, or a Go template' -r
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from list" -s n -l noheading -d 'No line of headings'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only names'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from mount" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from prune" -l filter -d 'Only volumes that fit, as with `volume ls`' -r
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not ask'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from reload" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from rm" -s t -l time -d 'Seconds before the kill of a container that runs, -1: never [default: the container\'s, 10]' -r
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from rm" -s a -l all -d 'All volumes'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from rm" -s f -l force -d 'Containers that use them go first; names that no volume has are no failure'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c coracle -n "__fish_coracle_using_subcommand volume; and __fish_seen_subcommand_from unmount" -s h -l help -d 'Print help'
