"""Much of everything: rows in one job, bytes in one upload, polls in a second, jobs in the queue, small jobs beside a huge one."""
