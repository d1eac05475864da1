import "./module/house.js";
