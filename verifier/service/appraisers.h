#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/thread_pool.hpp>

#include "base/asio.h"
#include "base/semaphore.h"

namespace verifier {

/// The threads that appraise. Who finds them all at work waits in the order of arrival, and can be cancelled; a job
/// that has begun runs to its end, whether or not anybody waits for it. So no more requests are held for nobody than
/// there are threads.
class Appraisers {
 public:
  /// `home` is where callers run.
  Appraisers(asio::any_io_executor home, std::size_t threads)
      : home_(home), places_(std::move(home), threads), pool_(threads) {}

  /// What `job()` returns or throws. The job must own all it uses.
  template <typename Job>
  base::Awaitable<std::invoke_result_t<Job>> run(Job job) {
    constexpr base::Milliseconds kAsLongAsItTakes = std::chrono::hours(24);
    std::optional<base::Semaphore::Place> place = co_await places_.enter(kAsLongAsItTakes);
    // A place belongs to the home thread, and goes back there when the job is over.
    auto held = std::make_shared<std::optional<base::Semaphore::Place>>(std::move(place));
    auto work = [job = std::move(job), held, home = home_]() mutable {
      const std::shared_ptr<void> give_back(
          nullptr, [&](void*) { asio::post(home, [held = std::move(held)] { held->reset(); }); });
      return job();
    };
    held.reset();
    co_return co_await base::run_blocking(pool_.get_executor(), std::move(work));
  }

 private:
  asio::any_io_executor home_;
  base::Semaphore places_;
  asio::thread_pool pool_;
};

}  // namespace verifier
