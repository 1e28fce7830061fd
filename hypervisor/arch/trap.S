/* Exception and interrupt gates: one stub per vector, then registers, then C. */

    .text
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    /* Vectors where the CPU pushes no error code get a zero. */
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

trap_common:
    .irp reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    pushq %\reg
    .endr
    cld
    movq %rsp, %rdi
    call trap_handle
    .irp reg, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
    popq %\reg
    .endr
    addq $16, %rsp
    iretq

/* An access that may fault: the table says where to go on, with AL = 0. */
    .macro fixup from, to
    .section .fixup, "a"
    .quad \from, \to
    .text
    .endm

    .globl msr_read_safe
msr_read_safe:
    movq %rsi, %r8
    movl %edi, %ecx
1:  rdmsr
    shlq $32, %rdx
    movl %eax, %eax
    orq %rdx, %rax
    movq %rax, (%r8)
    movl $1, %eax
    ret
    fixup 1b, refused

refused:
    xorl %eax, %eax
    ret

    .section .note.GNU-stack, "", @progbits
