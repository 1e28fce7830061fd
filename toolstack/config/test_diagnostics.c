/* The list of messages. */
#include "diagnostics.h"

#include <string.h>

#include "check.h"

TEST(one_line_each)
{
    struct diagnostics list = {0};
    char text[64];

    diagnostics_add(&list, "/x.xml", 3, "%s", "a\nb\x1b[2J");
    EXPECT(list.count == 1);
    diagnostics_format(&list.items[0], text, sizeof(text));
    EXPECT(strcmp(text, "/x.xml:3: a b [2J") == 0);
    diagnostics_format(&list.items[0], text, 8);
    EXPECT(strcmp(text, "/x.xml:") == 0);
    diagnostics_free(&list);
    EXPECT(list.count == 0 && !list.items);
}

TEST(sorted_by_line_from_a_point_on)
{
    struct diagnostics list = {0};

    diagnostics_add(&list, "/a.xml", 9, "first");
    diagnostics_add(&list, "/b.xml", 7, "second");
    diagnostics_add(&list, "/b.xml", 2, "third");
    diagnostics_add(&list, "/b.xml", 7, "fourth");
    diagnostics_sort(&list, 1);
    EXPECT(list.items[0].line == 9 && list.items[1].line == 2);
    EXPECT(strcmp(list.items[2].text, "second") == 0);
    EXPECT(strcmp(list.items[3].text, "fourth") == 0);
    diagnostics_free(&list);
}

TEST(the_list_is_bounded)
{
    struct diagnostics list = {0};

    for (unsigned i = 0; i < 1000; i++)
        diagnostics_add(&list, "/x.xml", i, "%0400u", i);
    EXPECT(list.count < 1000 && list.lost);
    diagnostics_free(&list);
}
