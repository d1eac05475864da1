import "./pkg/house.js";
