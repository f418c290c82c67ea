-- Read cache entries. KEYS: young, old. ARGV: the keys, 16 bytes each, in one string. Returns the
-- time in seconds, and one string. It has one byte per key: 0 miss, 1 young, 2 old. After 1 or 2
-- follow the entry's length (two bytes, big-endian) and the entry. One string each way, because
-- clients are slow at thousands of small values.
local keys = {}
for at = 1, #ARGV[1], 16 do keys[#keys + 1] = string.sub(ARGV[1], at, at + 15) end
local young = redis.call('HMGET', KEYS[1], unpack(keys))
local old = redis.call('HMGET', KEYS[2], unpack(keys))
local out = {}
for i = 1, #keys do
  local entry, half = young[i], 1
  if not entry then entry, half = old[i], 2 end
  out[i] = entry and struct.pack('>BI2', half, #entry) .. entry or '\0'
end
return {redis.call('TIME')[1], table.concat(out)}
