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
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    movq %rsp, %rdi
    call trap_handle
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
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

    .globl msr_write_safe
msr_write_safe:
    movl %edi, %ecx
    movl %esi, %eax
    movq %rsi, %rdx
    shrq $32, %rdx
2:  wrmsr
    movl $1, %eax
    ret
    fixup 2b, refused

refused:
    xorl %eax, %eax
    ret

    .section .note.GNU-stack, "", @progbits
