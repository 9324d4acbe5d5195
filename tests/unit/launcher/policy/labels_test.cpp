#include "launcher/policy/labels.h"

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/policy.h"

using launcher::ImageLabels;
using launcher::LabelReader;

TEST_CASE("booleans are Go's, anything else is the author's to mend") {
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"}) {
    const ImageLabels labels = {{"l", text}};
    CHECK(LabelReader(labels).boolean("l"));
  }
  for (const char* text : {"0", "f", "F", "FALSE", "false", "False"}) {
    const ImageLabels labels = {{"l", text}};
    LabelReader reader(labels);
    CHECK_FALSE(reader.boolean("l"));
    CHECK(reader.problems().empty());
  }
  for (const char* text : {"", "yes", "tRUE", " true"}) {
    const ImageLabels labels = {{"l", text}};
    LabelReader reader(labels);
    CHECK_FALSE(reader.boolean("l"));
    CHECK(test::text_of(reader.problems()) == "invalid image LABEL 'l' (not a boolean): contact the image author");
  }
  const ImageLabels none;
  LabelReader absent(none);
  CHECK_FALSE(absent.boolean("l"));
  CHECK(absent.problems().empty());
}

TEST_CASE("a list is cut at its separator; a label may be empty or absent") {
  const ImageLabels labels = {{"l", "a,,b c"}, {"empty", ""}};
  LabelReader reader(labels);
  CHECK(reader.list("l", ',') == std::vector<std::string>{"a", "b c"});
  CHECK(reader.list("empty", ',').empty());
  CHECK(reader.list("absent", ',').empty());
  CHECK(reader.text("empty") == "");
  CHECK_FALSE(reader.text("absent"));
}

TEST_CASE("labels that nobody has asked for are known") {
  const ImageLabels labels = {{"tee.a", "1"}, {"tee.b", "x"}, {"tee.c", "x"}, {"tee.d", "x"}, {"other", "x"}};
  LabelReader reader(labels);
  CHECK(reader.unread("tee.").size() == 4);
  reader.boolean("tee.a");
  (void)reader.text("tee.b");
  (void)reader.list("tee.c", ',');
  (void)reader.text("tee.absent");
  CHECK(reader.unread("tee.") == std::vector<std::string>{"tee.d"});
}
