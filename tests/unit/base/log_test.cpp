#include "base/log.h"

#include <algorithm>
#include <array>
#include <regex>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/environment.h"

using base::log::format;

TEST_CASE("a log line is one line, whatever it is given") {
  CHECK(format("listening", {{"url", "https://127.0.0.1:80"}, {"count", 3}}) ==
        "msg=\"listening\" url=https://127.0.0.1:80 count=3");
  CHECK(format("x", {{"k", "two words"}}) == "msg=\"x\" k=\"two words\"");
  CHECK(format("x", {{"k", ""}}) == "msg=\"x\" k=\"\"");
  CHECK(format("a\nlevel=ERROR", {}) == "msg=\"a\\nlevel=ERROR\"");
  CHECK(format("x", {{"k", "q\"b\\s\x1b[31m"}}) == "msg=\"x\" k=\"q\\\"b\\\\s\\x1b[31m\"");
  CHECK(format("x", {{"k", "a=b"}}) == "msg=\"x\" k=\"a=b\"");
}

TEST_CASE("what moves a cursor or turns the text is escaped, wherever it stands") {
  struct Escape {
    const char* text;
    const char* escaped;
  };
  for (const Escape& c : {Escape{"\u0080", "\\u0080"}, Escape{"\u0085", "\\u0085"}, Escape{"\u009b", "\\u009b"},
                          Escape{"\u009f", "\\u009f"}, Escape{"\u061c", "\\u061c"}, Escape{"\u200e", "\\u200e"},
                          Escape{"\u200f", "\\u200f"}, Escape{"\u2028", "\\u2028"}, Escape{"\u2029", "\\u2029"},
                          Escape{"\u202a", "\\u202a"}, Escape{"\u202e", "\\u202e"}, Escape{"\u2066", "\\u2066"},
                          Escape{"\u2069", "\\u2069"}, Escape{"\x7f", "\\x7f"}, Escape{"\r", "\\x0d"}}) {
    const std::string text = std::string("a") + c.text + "b";
    const std::string escaped = std::string("a") + c.escaped + "b";
    CHECK(format(text, {{"k", text}}) == "msg=\"" + escaped + "\" k=\"" + escaped + "\"");
  }
  for (const char* text : {"\u00a0", "\u00e4", "\u2027", "\u202f", "\u2065", "\u206a", "\u4e2d", "\U0001f600"}) {
    CHECK(format(text, {}) == "msg=\"" + std::string(text) + "\"");
  }
}

TEST_CASE("a text of the command line is shown on one line, as it is") {
  CHECK(base::log::one_line("--tcti: \"a\\b\" is none") == "--tcti: \"a\\b\" is none");
  CHECK(base::log::one_line("a\nb\x1b[31m\xff\u009b") == "a\\nb\\x1b[31m\\xff\\u009b");
  CHECK(base::log::one_line("").empty());
}

TEST_CASE("bytes that are not UTF-8 are shown one by one") {
  CHECK(format("a\xff\xc3\xa4\xc3", {}) == "msg=\"a\\xff\xc3\xa4\\xc3\"");
  CHECK(format("\x9b[31m", {}) == "msg=\"\\x9b[31m\"");
  CHECK(format("\xed\xa0\x80\xc0\x80", {}) == "msg=\"\\xed\\xa0\\x80\\xc0\\x80\"");
  CHECK(format(std::string_view("a\0b", 3), {}) == "msg=\"a\\x00b\"");
}

TEST_CASE("keys are plain and short") {
  CHECK(format("x", {{"a b=\"\n\x9b", 1}}) == "msg=\"x\" a_b____=1");
  CHECK(format("x", {{std::string(65, 'k'), 1}}) == "msg=\"x\" " + std::string(64, 'k') + "=1");
}

TEST_CASE("a text is cut where nobody reads on, between characters") {
  using base::log::kMaxTextBytes;
  const std::string whole(kMaxTextBytes, 'a');
  CHECK(format(whole, {{"k", whole}}) == "msg=\"" + whole + "\" k=" + whole);
  CHECK(format(whole + "b", {{"k", whole + "b"}}) ==
        "msg=\"" + whole + "... (cut, 4097 bytes)\" k=\"" + whole + "... (cut, 4097 bytes)\"");
  const std::string almost(kMaxTextBytes - 1, 'a');
  CHECK(format(almost + "\u4e2d", {}) == "msg=\"" + almost + "... (cut, 4098 bytes)\"");
  CHECK(format(whole + "b", {}, base::log::kMaxDocumentBytes) == "msg=\"" + whole + "b\"");
  const std::string document(base::log::kMaxDocumentBytes, 'a');
  CHECK(format(document, {}, base::log::kMaxDocumentBytes) == "msg=\"" + document + "\"");
  CHECK_THAT(format(document + "b", {}, base::log::kMaxDocumentBytes), ContainsSubstring("... (cut, "));
}

TEST_CASE("levels go by the names that options give them") {
  CHECK(base::log::levels().size() == 5);
  CHECK(base::log::levels().at("warning") == base::log::Level::kWarning);
}

namespace {

/// What the log writes for an error and an information, with standard error a pipe. `is_journal`: JOURNAL_STREAM tells
/// of it.
std::string lines_of_pipe(bool is_journal) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const base::FileDescriptor reader(ends[0]);
  base::FileDescriptor writer(ends[1]);
  struct stat status {};
  REQUIRE(::fstat(writer.get(), &status) == 0);
  const std::string stream = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino + (is_journal ? 0 : 1));
  const test::Environment environment({{"JOURNAL_STREAM", stream}});
  const base::FileDescriptor before(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
  REQUIRE(::dup2(writer.get(), STDERR_FILENO) == STDERR_FILENO);
  writer = base::FileDescriptor();
  base::log::start(base::log::Level::kInfo);
  base::log::error("bad");
  base::log::info("good");
  ::dup2(before.get(), STDERR_FILENO);
  base::log::start(base::log::Level::kInfo);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(reader.get(), text.data(), text.size()))));
  return text;
}

}  // namespace

TEST_CASE("the journal is told each line's priority, and nobody else") {
  CHECK(std::regex_match(lines_of_pipe(true), std::regex("<3>time=\\S+ level=ERROR msg=\"bad\"\n"
                                                         "<6>time=\\S+ level=INFO msg=\"good\"\n")));
  CHECK(std::regex_match(lines_of_pipe(false), std::regex("time=\\S+ level=ERROR msg=\"bad\"\n"
                                                          "time=\\S+ level=INFO msg=\"good\"\n")));
}

TEST_CASE("whoever copies lines gets them as long as they are written, and as they are") {
  const test::CapturedLog captured;
  std::vector<std::pair<std::string, std::string>> copies;
  base::log::copy_to([&](base::log::Level, std::string_view message, const std::vector<base::log::Field>& fields) {
    copies.emplace_back(message, fields.empty() ? "" : fields.front().value);
  });
  base::log::info("a \"text\"", {{"key", "of\ntwo lines"}});
  base::log::info(std::string(base::log::kMaxTextBytes + 1, 'm'),
                  {{"key", std::string(base::log::kMaxTextBytes, 'v')}});
  base::log::debug("is not written");
  base::log::copy_to({});
  base::log::info("is not copied");
  REQUIRE(copies.size() == 2);
  CHECK(copies[0] == std::pair<std::string, std::string>("a \"text\"", "of\ntwo lines"));
  CHECK(copies[1].first == std::string(base::log::kMaxTextBytes, 'm') + "... (cut, 4097 bytes)");
  CHECK(copies[1].second == std::string(base::log::kMaxTextBytes, 'v'));
}
