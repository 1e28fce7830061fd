/* Where exceptions and the event upcall enter, and the way out of a function that trapped. */
    .text
    .code64

/* int trap_guard(void (*run)(void)): 0 if run returns, 1 if trap_escape is called meanwhile. */
    .globl trap_guard
trap_guard:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    movq %rsp, trap_frame(%rip)
    callq *%rdi
    xorl %eax, %eax
trap_leave:
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    retq

    .globl trap_escape
trap_escape:
    movq trap_frame(%rip), %rsp
    movl $1, %eax
    jmp trap_leave

/* One entry of 16 bytes for each exception: {vector, error, rip, cs, flags, rsp, ss}. */
    .altmacro
    .macro ENTRY number
    .balign 16
    .if (\number != 8) && ((\number < 10) || (\number > 14)) && (\number != 17) && (\number != 21) && (\number != 29) && (\number != 30)
    pushq $0
    .endif
    pushq $\number
    jmp trap_common
    .endm
    .globl trap_entries
    .balign 16
trap_entries:
    .set i, 0
    .rept 32
    ENTRY %i
    .set i, i + 1
    .endr
trap_common:
    movq %rsp, %rdi
    movq %cr2, %rsi
    andq $-16, %rsp
    cld
    call trap_handle
    ud2

/* The upcall: its time is taken first. No EOI, the vector does not come by the local APIC. */
    .globl trap_upcall
trap_upcall:
    pushq %rax
    pushq %rdx
    lfence
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    movq %rax, event_upcall_tsc(%rip)
    pushq %rcx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    cld
    call event_upcall
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rcx
    popq %rdx
    popq %rax
    iretq

    .globl trap_ignore
trap_ignore:
    iretq

    .bss
    .balign 8
trap_frame:
    .skip 8

    .section .note.GNU-stack, "", @progbits
