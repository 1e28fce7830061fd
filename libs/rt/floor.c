/* Dispatch of the C library's system calls. */
#include "floor.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "internal.h"

/* Calls with nothing to do here: no signals, no other process, no rights inside a domain. */
static long nothing(const uint64_t a[6])
{
    (void)a;
    return 0;
}

static long one(const uint64_t a[6])
{
    (void)a;
    return 1;
}

/* The C library has another way when a mapping cannot grow in place. */
static long no_memory(const uint64_t a[6])
{
    (void)a;
    return -ENOMEM;
}

static floor_handler *const handlers[] = {
    [SYS_read] = floor_read,
    [SYS_write] = floor_write,
    [SYS_open] = floor_open,
    [SYS_close] = floor_close,
    [SYS_stat] = floor_stat,
    [SYS_fstat] = floor_fstat,
    [SYS_lstat] = floor_stat,
    [SYS_poll] = floor_poll,
    [SYS_lseek] = floor_lseek,
    [SYS_mmap] = floor_mmap,
    [SYS_mprotect] = nothing,
    [SYS_munmap] = floor_munmap,
    [SYS_brk] = floor_brk,
    [SYS_rt_sigaction] = nothing,
    [SYS_rt_sigprocmask] = nothing,
    [SYS_ioctl] = floor_ioctl,
    [SYS_pread64] = floor_pread,
    [SYS_readv] = floor_readv,
    [SYS_writev] = floor_writev,
    [SYS_access] = floor_access,
    [SYS_sched_yield] = floor_yield,
    [SYS_mremap] = no_memory,
    [SYS_madvise] = nothing,
    [SYS_nanosleep] = floor_nanosleep,
    [SYS_getpid] = one,
    [SYS_exit] = floor_exit,
    [SYS_kill] = floor_kill,
    [SYS_uname] = floor_uname,
    [SYS_fcntl] = floor_fcntl,
    [SYS_getcwd] = floor_getcwd,
    [SYS_gettimeofday] = floor_gettimeofday,
    [SYS_getuid] = nothing,
    [SYS_getgid] = nothing,
    [SYS_geteuid] = nothing,
    [SYS_getegid] = nothing,
    [SYS_getppid] = nothing,
    [SYS_sigaltstack] = nothing,
    [SYS_arch_prctl] = floor_arch_prctl,
    [SYS_gettid] = one,
    [SYS_tkill] = floor_kill,
    [SYS_set_tid_address] = one,
    [SYS_clock_gettime] = floor_clock_gettime,
    [SYS_clock_nanosleep] = floor_clock_nanosleep,
    [SYS_exit_group] = floor_exit,
    [SYS_tgkill] = floor_kill,
    [SYS_openat] = floor_openat,
    [SYS_newfstatat] = floor_fstatat,
    [SYS_faccessat] = floor_faccessat,
    [SYS_ppoll] = floor_ppoll,
    [SYS_getrandom] = floor_getrandom,
};

#define HANDLER_COUNT (sizeof(handlers) / sizeof(handlers[0]))

/* Each missing call is told once, by number; the last bit is for all beyond. */
static long unknown(uint64_t number)
{
    static uint64_t told[8];
    uint64_t n = number < 511 ? number : 511;

    if ((told[n / 64] >> (n % 64) & 1) == 0) {
        told[n / 64] |= 1ull << (n % 64);
        console_text("runtime: system call 0x");
        console_hex(number, 3);
        console_text(" is not served\n");
    }
    return -ENOSYS;
}

long floor_call(uint64_t number, const uint64_t a[6]);
long floor_call(uint64_t number, const uint64_t a[6])
{
    if (number >= HANDLER_COUNT || handlers[number] == NULL)
        return unknown(number);
    return handlers[number](a);
}
