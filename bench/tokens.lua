-- bench/tokens.lua: each request with the next of the tokens in the file that is named behind "--".
local tokens = {}
local at = 0

init = function(arguments)
  for line in io.lines(arguments[1]) do
    tokens[#tokens + 1] = wrk.format(nil, nil, { Authorization = "Bearer " .. line })
  end
end

request = function()
  at = at % #tokens + 1
  return tokens[at]
end

dofile((debug.getinfo(1, "S").source:match("@(.*/)") or "") .. "report.lua")
