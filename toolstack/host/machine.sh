# The machine that a host boots on: QEMU's arguments, the terminal, the exit status.
# Sourced by ./run, whose options it reads.
# shellcheck shell=bash disable=SC2154,SC2054

core=$BUILD/meson/hypervisor/hypervisor.elf

# What the core is told; what stands after " -- " is for the control domain.
core_options()
{
    if [ "$headless" = yes ]; then
        printf 'headless debug_exit=0xf4 -- headless'
    else
        printf 'debug_exit=0xf4'
    fi
}

# A comma inside a value is doubled, or QEMU would end the value there.
escaped()
{
    printf '%s' "${1//,/,,}"
}

format_of()
{
    if [ "$(head -c4 -- "$1" | od -An -tx1 | tr -d ' ')" = 514649fb ]; then
        printf qcow2
    else
        printf raw
    fi
}

# The first port of 127.0.0.1 from 8080 on that nobody listens at.
free_port()
{
    local port

    for ((port = 8080; port < 8180; port++)); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%d\n' "$port"
            return
        fi
    done
    die 'no free port from 8080 to 8179 of 127.0.0.1'
}

disk_arguments()
{
    local n file device

    for n in "${!disks[@]}"; do
        file=${disks[n]#virtio:}
        device=nvme,serial=disk$n
        [ "$file" = "${disks[n]}" ] || device=virtio-blk-pci,iommu_platform=on,disable-legacy=on
        arguments+=(
            -drive "if=none,id=disk$n,format=$(format_of "$file"),file=$(escaped "$file")"
            -device "$device,drive=disk$n,bus=pcie.0,addr=$(printf '%02x' $((n + 4))).0"
        )
    done
}

# QEMU's own -nic cannot say where a card is, so the words for the card are told from the others.
nic_arguments()
{
    local n word words device net

    for n in "${!nics[@]}"; do
        IFS=, read -r -a words <<<"${nics[n]}"
        net=${words[0]},id=nic$n device=e1000e
        for word in "${words[@]:1}"; do
            case $word in
            model=virtio*) device=virtio-net-pci,iommu_platform=on,disable-legacy=on ;;
            model=*) device=${word#model=} ;;
            esac
        done
        for word in "${words[@]:1}"; do
            case $word in
            model=*) ;;
            mac=*) device=$device,$word ;;
            *) net=$net,$word ;;
            esac
        done
        arguments+=(
            -netdev "$net"
            -device "$device,id=card$n,netdev=nic$n,bus=pcie.0,addr=$(printf '%02x' $((n + 16))).0"
        )
    done
}

other_arguments()
{
    local n words

    for n in "${!devices[@]}"; do
        arguments+=(-device "${devices[n]}")
    done
    for n in "${!extra[@]}"; do
        read -r -a words <<<"${extra[n]}"
        arguments+=("${words[@]}")
    done
}

machine_arguments()
{
    local signal=off
    local -a units=()

    # Headless, ^C ends the machine; at a terminal it is the guest's.
    [ "$headless" = no ] || signal=on
    # An IOMMU comes before all devices, or it does not contain them.
    case $iommu in
    intel) units=(-device intel-iommu,intremap=on,aw-bits=48) ;;
    amd) units=(-device amd-iommu,intremap=on) ;;
    esac
    arguments=(
        -machine q35 -cpu EPYC -accel tcg -smp "$cpus" -m "$memory"
        "${units[@]}"
        -nodefaults -no-user-config -display none -no-reboot -rtc base=utc
        -chardev "stdio,id=terminal,signal=$signal" -serial chardev:terminal
        -device isa-debug-exit,iobase=0xf4,iosize=4
        -kernel "$core" -initrd "$bundle" -append "$(core_options)"
    )
    [ "$icount" = no ] || arguments+=(-icount shift=0,sleep=off)
    [ "$gdb" = no ] || arguments+=(-S -gdb tcp:localhost:1234)
    disk_arguments
    nic_arguments
    other_arguments
}

# QEMU names every feature of the CPU model that its emulation lacks; nobody wants to read that.
without_chatter()
{
    grep --line-buffered -v "TCG doesn't support requested feature" >&2 || true
}

terminal=''
restore_terminal()
{
    [ -z "$terminal" ] || stty "$terminal"
}

machine_status()
{
    case $1 in
    33) return 0 ;;
    35) return 1 ;;
    124) say "run: stopped after $timeout seconds"; return 124 ;;
    0) say 'run: the machine reset itself or was ended from outside'; return 1 ;;
    *) say "run: QEMU ended with status $1"; return 1 ;;
    esac
}

machine_run()
{
    local status=0 child
    local -a arguments limit=()

    machine_arguments
    [ -z "$timeout" ] || limit=(timeout --foreground -k 5 "$timeout")
    [ "$gdb" = no ] || say 'run: waiting for a debugger: gdb -ex "target remote localhost:1234"' "$core"
    [ -z "$url" ] || say "The guest debian serves $url when it is up."
    if [ "$headless" = no ]; then
        say 'Leave a guest with ^], quit with "poweroff" at the control prompt.'
        [ ! -t 0 ] || terminal=$(stty -g)
    fi
    # In the background, so that a signal to this script reaches QEMU at once.
    "${limit[@]}" qemu-system-x86_64 "${arguments[@]}" <&0 2> >(without_chatter) &
    child=$!
    trap 'kill "$child" 2>/dev/null || true' TERM INT HUP
    trap restore_terminal EXIT
    wait "$child" || status=$?
    # A signal ends the first wait early; QEMU's own end is what counts.
    while kill -0 "$child" 2>/dev/null; do
        status=0
        wait "$child" || status=$?
    done
    machine_status "$status"
}
