#include "base/service_wait.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "tests/unit/catch.h"
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
  asio::io_context context{};
  base::Clock clock = base::Clock::system();

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
    ServiceWait wait(context.get_executor(), clock, "service", bound);
    ServiceWait::Attempt attempt = [this] { return ask(); };
    co_await wait.until(std::move(attempt));
  }
};

constexpr std::chrono::seconds kLong{60};
constexpr int kNever = 1000000;

}  // namespace

TEST_CASE("what is there is not waited for, and what comes late is") {
  Service service;
  test::run(service.context, service.wait(kLong));
  CHECK(service.asked == 1);
  Service late{.absent = 2};
  test::run(late.context, late.wait(kLong));
  CHECK(late.asked == 3);
}

TEST_CASE("a refusal is not waited out") {
  Service service{.absent = 1, .refuses = true};
  CHECK_THROWS_WITH(test::run(service.context, service.wait(kLong)), "service: go away");
  CHECK(service.asked == 2);
}

TEST_CASE("without a bound there is one round of retries, and the failure itself") {
  Service service{.absent = kNever};
  CHECK_THROWS_WITH(test::run(service.context, service.wait(std::chrono::seconds(0))), "service: nobody listens");
  CHECK(service.asked == 6);
}

TEST_CASE("A 4: a service that says when to come back is not asked sooner, and not waited for beyond the bound") {
  const auto began = std::chrono::steady_clock::now();
  Service patient{.absent = 1, .asks_for = std::chrono::seconds(1)};
  test::run(patient.context, patient.wait(kLong));
  CHECK(patient.asked == 2);
  CHECK(std::chrono::steady_clock::now() - began >= std::chrono::seconds(1));
  Service endless{.absent = kNever, .asks_for = std::chrono::hours(1)};
  CHECK_THROWS_WITH(test::run(endless.context, endless.wait(std::chrono::seconds(1))),
                    "service: not reached within 1 s: nobody listens");
  CHECK(endless.asked == 1);
}

TEST_CASE("when the bound is over the last reason is told") {
  const auto began = std::chrono::steady_clock::now();
  Service absent{.absent = kNever};
  CHECK_THROWS_WITH(test::run(absent.context, absent.wait(std::chrono::seconds(1))),
                    "service: not reached within 1 s: nobody listens");
  CHECK(absent.asked >= 2);
  Service hanging{.hangs = true};
  CHECK_THROWS_WITH(test::run(hanging.context, hanging.wait(std::chrono::seconds(1))),
                    "service: not reached within 1 s: no answer");
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10));
}

TEST_CASE("a wait can be broken off at any time") {
  for (const bool hangs : {true, false}) {
    Service service{.absent = kNever, .hangs = hangs};
    asio::cancellation_signal signal;
    std::exception_ptr failure;
    asio::co_spawn(service.context, service.wait(kLong),
                   asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& f) { failure = f; }));
    asio::steady_timer timer(service.context, std::chrono::milliseconds(50));
    timer.async_wait([&](const auto&) { signal.emit(asio::cancellation_type::terminal); });
    const auto began = std::chrono::steady_clock::now();
    service.context.run();
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
    CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
  }
}
