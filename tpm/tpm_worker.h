#pragma once

#include <memory>
#include <string>
#include <utility>

#include <boost/asio/thread_pool.hpp>

#include "base/asio.h"
#include "tpm/tpm.h"

namespace tpm {

/// How long one job on the TPM may take. A hardware TPM may need tens of seconds for one key; the kernel's own limit
/// for a command is two minutes.
inline constexpr base::Milliseconds kTpmDeadline{150000};

/// The one thread on which the TPM is used; also what puts its users in a row.
class TpmWorker {
 public:
  explicit TpmWorker(base::Milliseconds deadline = kTpmDeadline) : deadline_(deadline), state_(new State) {}
  TpmWorker(const TpmWorker&) = delete;
  TpmWorker& operator=(const TpmWorker&) = delete;
  /// Waits a few seconds for the job under way. A thread that does not end is left behind for the process's end.
  ~TpmWorker();

  base::Awaitable<void> open(std::string tcti);

  /// Runs `job(Tpm&)` on the worker's thread. Throws TpmError when it does not return in time; the TPM is of no use
  /// after that. `job` must own all it uses but the TPM.
  template <typename Job>
  base::Awaitable<std::invoke_result_t<Job, Tpm&>> run(Job job) {
    throw_if_lost();
    auto work = [state = state_, job = std::move(job)]() mutable { return job(state->tpm()); };
    const auto on_timeout = [this] { return give_up(); };
    co_return co_await base::run_blocking(state_->thread.get_executor(), deadline_, std::move(work), on_timeout);
  }

  /// Drops an object that holds TPM handles on the TPM's thread.
  void release(std::shared_ptr<void> object);

 private:
  struct State {
    Tpm& tpm() {
      if (!opened) throw TpmError("the TPM is not open", 0);
      return *opened;
    }
    asio::thread_pool thread{1};
    std::unique_ptr<Tpm> opened;
  };

  void throw_if_lost() const;
  TpmError give_up();

  base::Milliseconds deadline_;
  std::shared_ptr<State> state_;
  bool lost_ = false;
};

}  // namespace tpm
