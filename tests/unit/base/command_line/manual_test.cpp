#include "base/command_line/manual.h"

#include "tests/unit/catch.h"

namespace {

base::CommandText program() {
  base::CommandText verb{
      .name = "prog verb",
      .description = "Do it",
      .arguments = {{.names = {"FILE"}, .value = {}, .choices = {}, .help = "A file", .is_required = true}},
      .options = {{.names = {"--kind"}, .value = "a|b", .choices = {"a", "b"}, .help = ".Kind \\ of"}},
      .subcommands = {},
      .examples = {"prog verb x"}};
  return {.name = "prog",
          .description = "Does things",
          .arguments = {},
          .options = {},
          .subcommands = {std::move(verb)},
          .examples = {}};
}

}  // namespace

TEST_CASE("The program and each subcommand have a page") {
  const auto pages = base::manual_pages(program(), {.section = "1", .version = "1.2", .status = {{"0", "Yes."}}});
  REQUIRE(pages.size() == 2);
  CHECK(pages.at("prog.1") ==
        ".TH \"PROG\" 1 \"\" \"prog 1.2\"\n"
        ".SH NAME\nprog \\- Does things\n"
        ".SH SYNOPSIS\n.B prog SUBCOMMAND\n"
        ".SH SUBCOMMANDS\n.TP\n.BR prog\\-verb (1)\nDo it\n"
        ".SH EXIT STATUS\n.TP\n.B 0\nYes.\n");
  CHECK(pages.at("prog-verb.1") ==
        ".TH \"PROG-VERB\" 1 \"\" \"prog 1.2\"\n"
        ".SH NAME\nprog\\-verb \\- Do it\n"
        ".SH SYNOPSIS\n.B prog verb [OPTIONS] FILE\n"
        ".SH ARGUMENTS\n.TP\n.B FILE\nA file\n"
        ".SH OPTIONS\n.TP\n.B \\-\\-kind a|b\n\\&.Kind \\e of\n"
        ".SH EXIT STATUS\n.TP\n.B 0\nYes.\n"
        ".SH EXAMPLES\n.nf\nprog verb x\n.fi\n"
        ".SH SEE ALSO\n.BR prog (1)\n");
}
