-- Shared by the scripts that count for metrics. `jobs/metrics.py` names the fields.
local function step_kind(step) return string.match(step, '^%l+') end

-- Add a duration to a histogram. `bounds`: those of its buckets in seconds, separated by spaces.
local function observe_ms(metrics, name, bounds, ms)
  local bucket = 'inf'
  for bound in string.gmatch(bounds, '%S+') do
    if ms <= tonumber(bound) * 1000 then
      bucket = bound
      break
    end
  end
  redis.call('HINCRBY', metrics, name .. ':' .. bucket, 1)
  redis.call('HINCRBY', metrics, name .. ':sum_us', string.format('%.0f', ms * 1000))
end
