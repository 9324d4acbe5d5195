#include "oci/distribution/checked_blob.h"

#include <string>

#include "tests/unit/catch.h"
#include "tests/unit/support/run.h"

namespace oci {
namespace {

/// What became of the pieces of a blob of which `wanted` is expected.
struct Transfer {
  explicit Transfer(const std::string& wanted)
      : descriptor{"application/x", Digest::of(base::view_of(wanted)), wanted.size()} {}

  void write(const std::string& piece) { test::run(context, blob.write(head, base::view_of(piece))); }
  void next_answer(unsigned status, const std::string& content_range = "") {
    blob.expect_answer();
    head = {status, {{"Content-Range", content_range}}, ""};
  }
  base::Awaitable<void> restart() {
    passed_on.clear();
    ++restarts;
    co_return;
  }

  base::Awaitable<void> take(base::ByteView bytes) {
    passed_on += base::text_of(bytes);
    co_return;
  }

  asio::io_context context;
  Descriptor descriptor;
  std::string passed_on;
  int restarts = 0;
  net::HttpResponse head;
  BlobSink sink{.restart = [this] { return restart(); }, .write = [this](base::ByteView bytes) { return take(bytes); }};
  CheckedBlob blob{descriptor, sink};
};

}  // namespace

TEST_CASE("a blob is passed on as it comes, and is the one wanted") {
  Transfer transfer("the bytes of a blob");
  transfer.write("the bytes ");
  transfer.write("of a blob");
  CHECK_NOTHROW(transfer.blob.finish());
  CHECK(transfer.passed_on == "the bytes of a blob");
}

TEST_CASE("a blob goes on in another answer where it stood") {
  Transfer transfer("the bytes of a blob");
  transfer.write("the by");
  transfer.next_answer(206, "bytes 6-18/19");
  transfer.write("tes of");
  CHECK(transfer.blob.next_position() == 12);
  CHECK(transfer.blob.added() == 6);
  CHECK_FALSE(transfer.blob.has_all());
  transfer.next_answer(206, "bytes 12-18/*");
  transfer.write(" a blob");
  CHECK_NOTHROW(transfer.blob.finish());
  CHECK(transfer.passed_on == "the bytes of a blob");
  CHECK(transfer.restarts == 0);
}

TEST_CASE("an answer that begins at the start makes void what there was") {
  Transfer transfer("the bytes of a blob");
  transfer.write("the wrong");
  SECTION("a whole one") { transfer.next_answer(200); }
  SECTION("a part of it that is all") { transfer.next_answer(206, "bytes 0-18/19"); }
  transfer.write("the bytes of a blob");
  CHECK_NOTHROW(transfer.blob.finish());
  CHECK(transfer.passed_on == "the bytes of a blob");
  CHECK(transfer.restarts == 1);
  CHECK(transfer.blob.added() == 0);
  CHECK(transfer.blob.has_all());
}

TEST_CASE("an answer that begins elsewhere, or does not say where, is refused") {
  for (const char* range : {"bytes 5-18/19", "bytes 7-18/19", "", "bytes", "bytes ", "bytes 6", "bytes x-18/19",
                            "octets 6-18/19", "bytes */19", "bytes 99999999999999999999-18/19", "bytes -6"}) {
    CAPTURE(range);
    Transfer transfer("the bytes of a blob");
    transfer.write("the by");
    transfer.next_answer(206, range);
    CHECK_THROWS_WITH(transfer.write("tes of a blob"), ContainsSubstring("another range"));
    CHECK(transfer.passed_on == "the by");
    CHECK(transfer.blob.next_position() == 0);
  }
}

TEST_CASE("what a sink fails with is no reason to ask the registry again") {
  asio::io_context context;
  const Descriptor descriptor{"application/x", Digest::of(base::view_of(std::string("1234"))), 4};
  base::Error outage("no containerd");
  outage.set_transience(base::Transience::kMayPass);
  bool restart_fails = false;
  const auto fail = [&]() -> base::Awaitable<void> {
    if (restart_fails) throw base::Error(outage);
    co_return;
  };
  const BlobSink sink{.restart = fail, .write = [&](base::ByteView) -> base::Awaitable<void> {
                        if (!restart_fails) throw base::Error(outage);
                        co_return;
                      }};
  CheckedBlob blob(descriptor, sink);
  net::HttpResponse head{200, {}, ""};
  const auto expect_failure_for_good = [&] {
    try {
      test::run(context, blob.write(head, base::view_of(std::string("12"))));
      FAIL("no error");
    } catch (const base::Error& error) {
      CHECK(error.what() == std::string("no containerd"));
      CHECK_FALSE(error.may_pass());
    }
  };
  expect_failure_for_good();
  restart_fails = true;
  blob.expect_answer();
  expect_failure_for_good();
}

TEST_CASE("a blob that is longer than its descriptor says goes no further than that") {
  Transfer transfer("1234");
  transfer.write("1234");
  CHECK_THROWS_WITH(transfer.write("5"), ContainsSubstring("longer than its descriptor says"));
  CHECK(transfer.passed_on == "1234");
}

TEST_CASE("a blob that is shorter, or another") {
  Transfer cut("1234");
  cut.write("123");
  CHECK_THROWS_WITH(cut.blob.finish(), ContainsSubstring("shorter than its descriptor says"));
  Transfer other("1234");
  other.write("1235");
  CHECK_THROWS_WITH(other.blob.finish(), ContainsSubstring("another digest"));
  Transfer nothing("1234");
  CHECK_THROWS_WITH(nothing.blob.finish(), ContainsSubstring("shorter than its descriptor says"));
  Transfer empty("");
  CHECK_NOTHROW(empty.blob.finish());
}

}  // namespace oci
