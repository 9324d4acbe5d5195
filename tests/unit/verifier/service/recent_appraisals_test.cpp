#include "verifier/service/recent_appraisals.h"

#include <string>

#include "evidence/refusal.h"
#include "tests/unit/catch.h"

using base::Json;
using verifier::IssuedToken;
using verifier::RecentAppraisals;

namespace {

const base::WallTime kNow = base::from_unix_seconds(1800000000);

IssuedToken token_of(std::uint64_t instance, const std::string& found = "found") {
  IssuedToken issued;
  issued.identity.instance_id = instance;
  issued.identity.instance_name = "vm";
  issued.claims = {{"hwmodel", "SOFTWARE_TPM"}, {"swname", "GCE"}};
  issued.explanation = {{"standing", "nearest"}, {"found", found}};
  return issued;
}

}  // namespace

TEST_CASE("Appraisals are told, the newest first") {
  RecentAppraisals recent;
  recent.add(token_of(1), kNow);
  recent.add(evidence::Refusal(evidence::Reason::kInvalidQuote, "a quote is wrong"), kNow);
  recent.add(token_of(2), kNow);
  const Json list = recent.list("");
  REQUIRE(list.size() == 3);
  CHECK(list[0]["instance_id"] == "2");
  CHECK(list[0]["outcome"] == "token");
  CHECK(list[0]["explanation"]["standing"] == "nearest");
  CHECK(list[1]["outcome"] == "refused");
  CHECK(list[1]["reason"] == "INVALID_QUOTE");
  CHECK(list[1]["message"] == "a quote is wrong");
  CHECK(list[2]["time"] == "2027-01-15T08:00:00Z");
  CHECK(recent.tokens() == 2);
  CHECK(recent.refusals() == 1);
}

TEST_CASE("Of one machine only its own are told") {
  RecentAppraisals recent;
  recent.add(token_of(1), kNow);
  recent.add(token_of(2), kNow);
  recent.add(evidence::Refusal(evidence::Reason::kInvalidQuote, "a quote is wrong"), kNow);
  CHECK(recent.list("1").size() == 1);
  CHECK(recent.list("3").empty());
}

TEST_CASE("No more appraisals are kept than the limit, and no longer ones") {
  RecentAppraisals recent;
  for (std::size_t i = 0; i <= RecentAppraisals::kMaxAppraisals; ++i) recent.add(token_of(i), kNow);
  CHECK(recent.list("").size() == RecentAppraisals::kMaxAppraisals);
  CHECK(recent.list("0").empty());  // the oldest has gone
  recent.add(token_of(7, std::string(RecentAppraisals::kMaxAppraisalBytes, 'x')), kNow);
  CHECK_FALSE(recent.list("")[0].contains("explanation"));
  recent.add(evidence::Refusal(evidence::Reason::kInvalidQuote, std::string(1 << 20, 'x')), kNow);
  CHECK(recent.list("")[0]["message"].get<std::string>().size() == RecentAppraisals::kMaxAppraisalBytes / 2);
}
