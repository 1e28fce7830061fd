/* Doubly linked list with the node inside the element. */
#pragma once

#include <stdbool.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define LIST_INIT(name)                                                                            \
    {                                                                                              \
        &(name), &(name)                                                                           \
    }

#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Each element of a list, in order; its node is the member of that name. */
#define list_for_each(type, item, head, member)                                                    \
    for (type *item = list_entry((head)->next, type, member); &item->member != (head);             \
         item = list_entry(item->member.next, type, member))

static inline void list_init(struct list *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

/* Before head: at the end of the list when head is the list itself. */
static inline void list_add_tail(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Leaves the node a list of its own, so removing twice is harmless. */
static inline void list_del(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}
