#include "base/service_wait.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"

using base::Awaitable;
using base::Error;
using base::ServiceWait;

namespace {

/// A service that is absent some times and then, perhaps, there.
struct Service {
  int absent = 0;
  bool hangs = false;
  bool refuses = false;
  std::optional<std::chrono::seconds> asks_for = {};
  int asked = 0;
  test::ManualContext context{};

  Awaitable<void> ask() {
    ++asked;
    if (hangs) co_await base::sleep_for(context.get_executor(), std::chrono::hours(1));
    if (asked <= absent) {
      Error failure("service: nobody listens");
      failure.set_transience(base::Transience::kMayPass, asks_for);
      throw Error(failure);
    }
    if (refuses) throw Error("service: go away");
  }

  Awaitable<void> wait(std::chrono::seconds bound) {
    ServiceWait wait(context.get_executor(), context.time.clock(), "service", bound);
    ServiceWait::Attempt attempt = [this] { return ask(); };
    co_await wait.until(std::move(attempt));
  }
};

constexpr std::chrono::seconds kLongService{60};
constexpr int kNever = 1000000;

}  // namespace

TEST_CASE("what is there is not waited for, and what comes late is") {
  Service service;
  service.context.time.run(service.wait(kLongService));
  CHECK(service.asked == 1);
  Service late{.absent = 2};
  late.context.time.run(late.wait(kLongService));
  CHECK(late.asked == 3);
}

TEST_CASE("a refusal is not waited out") {
  Service service{.absent = 1, .refuses = true};
  CHECK_THROWS_WITH(service.context.time.run(service.wait(kLongService)), "service: go away");
  CHECK(service.asked == 2);
}

TEST_CASE("without a bound there is one round of retries, and the failure itself") {
  Service service{.absent = kNever};
  CHECK_THROWS_WITH(service.context.time.run(service.wait(std::chrono::seconds(0))), "service: nobody listens");
  CHECK(service.asked == 6);
}

TEST_CASE("a service that says when to come back is not asked sooner, and not waited for beyond the bound") {
  Service patient{.absent = 1, .asks_for = std::chrono::seconds(7)};
  patient.context.time.run(patient.wait(kLongService));
  CHECK(patient.asked == 2);
  CHECK(patient.context.time.elapsed() == std::chrono::seconds(7));
  Service endless{.absent = kNever, .asks_for = std::chrono::hours(1)};
  CHECK_THROWS_WITH(endless.context.time.run(endless.wait(std::chrono::seconds(1))),
                    "service: not reached within 1 s: nobody listens");
  CHECK(endless.asked == 1);
}

TEST_CASE("when the bound is over the last reason is told") {
  Service absent{.absent = kNever};
  CHECK_THROWS_WITH(absent.context.time.run(absent.wait(std::chrono::seconds(1))),
                    "service: not reached within 1 s: nobody listens");
  CHECK(absent.asked >= 2);
  CHECK(absent.context.time.elapsed() < std::chrono::milliseconds(1010));
  Service hanging{.hangs = true};
  CHECK_THROWS_WITH(hanging.context.time.run(hanging.wait(std::chrono::seconds(1))),
                    "service: not reached within 1 s: no answer");
  CHECK(hanging.context.time.elapsed() < std::chrono::milliseconds(1010));
}

TEST_CASE("a wait can be broken off at any time") {
  for (const bool hangs : {true, false}) {
    Service service{.absent = kNever, .hangs = hangs};
    asio::cancellation_signal signal;
    std::exception_ptr failure;
    asio::co_spawn(service.context, service.wait(kLongService),
                   asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& f) { failure = f; }));
    service.context.poll();
    REQUIRE(service.asked == 1);
    signal.emit(asio::cancellation_type::terminal);
    service.context.poll();
    CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
  }
}
