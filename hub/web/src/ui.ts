/** The parts of Element Plus that we use, each with its style: what is not named here is not sent to the browser. */
import "element-plus/theme-chalk/el-button.css";
import "element-plus/theme-chalk/el-message.css";
import "element-plus/theme-chalk/el-tag.css";

export { ElButton, ElMessage, ElTag } from "element-plus";
