import "./deno/house.js";
