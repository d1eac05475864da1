import "./source/house.js";
