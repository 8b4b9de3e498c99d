import { startCalibrationServer } from './calibrate-server.ts';

// The calibration server in a process of its own: started with the rate, says its port, ends with its parent.
const server = await startCalibrationServer(Number(process.argv[2]));
process.on('disconnect', () => process.exit());
process.send?.({ port: server.port });
